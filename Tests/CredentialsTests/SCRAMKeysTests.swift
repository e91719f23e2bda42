// SPDX-License-Identifier: Apache-2.0
//
// The exchanges that RFC 5802 and RFC 7677 print: our stored keys must accept the client's proof
// and make the server's signature.

import MailBytes
import Testing

@testable import Credentials

@Suite struct SCRAMKeysTests {
    /// An exchange of the user "user" with the password "pencil".
    struct Exchange: Sendable {
        let mechanism: SCRAMKeys.Mechanism
        let clientNonce: String
        let serverFirst: String
        let salt: String
        let proof: String
        let signature: String
    }

    private static let exchanges = [
        // RFC 5802, section 5.
        Exchange(
            mechanism: .sha1,
            clientNonce: "fyko+d2lbbFgONRv9qkxdawL",
            serverFirst: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            salt: "QSXCR+Q6sek8bf92",
            proof: "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            signature: "rmF9pqV8S7suAoZWja4dJRkFsKQ="
        ),
        // RFC 7677, section 3.
        Exchange(
            mechanism: .sha256,
            clientNonce: "rOprNGfwEbeRWgbNEkqO",
            serverFirst: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                + "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
            proof: "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            signature: "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        ),
    ]

    private static func decode(_ text: String) throws -> [UInt8] {
        try #require(Base64.decode(Array(text.utf8)))
    }

    @Test(arguments: exchanges)
    func publishedExchanges(exchange: Exchange) throws {
        let keys = try #require(
            SCRAMKeys(
                deriving: exchange.mechanism,
                from: Array("pencil".utf8),
                salt: try Self.decode(exchange.salt),
                iterations: 4096
            )
        )
        let nonce = try #require(exchange.serverFirst.split(separator: ",").first)
        let message = "n=user,r=\(exchange.clientNonce),\(exchange.serverFirst),c=biws,\(nonce)"
        let octets = Array(message.utf8)
        let function = exchange.mechanism.function

        let clientSignature = try #require(
            LibCrypto.hmac(function, key: keys.storedKey, octets)
        )
        let clientKey = zip(try Self.decode(exchange.proof), clientSignature).map { $0 ^ $1 }
        #expect(LibCrypto.hash(function, clientKey) == keys.storedKey)
        let signature = LibCrypto.hmac(function, key: keys.serverKey, octets)
        #expect(signature == (try Self.decode(exchange.signature)))
        #expect(keys.matches(Array("pencil".utf8)))
        #expect(!keys.matches(Array("Pencil".utf8)))
    }

    @Test(arguments: [SCRAMKeys.Mechanism.sha256, .sha1])
    func textComesBack(mechanism: SCRAMKeys.Mechanism) throws {
        let keys = try #require(
            SCRAMKeys(deriving: mechanism, from: [1, 2, 3], salt: [9, 8, 7], iterations: 3)
        )
        #expect(SCRAMKeys(text: keys.text) == keys)
        #expect(
            String(decoding: keys.text, as: UTF8.self).hasPrefix("\(mechanism.rawValue)$3:CQgH$")
        )
    }

    @Test(arguments: [
        "", "$", "$$", "SCRAM-SHA-1", "SCRAM-SHA-1$1:CQgH$x", "SCRAM-SHA-1$:CQgH$", "A$B$C$D",
        "SCRAM-MD5$1:CQgH$KA:SA", "SCRAM-SHA-1$0:CQgH$KA:SA", "SCRAM-SHA-1$-1:CQgH$KA:SA",
        "SCRAM-SHA-1$1:$KA:SA", "SCRAM-SHA-1$1:CQg$KA:SA", "SCRAM-SHA-1$10000001:CQgH$KA:SA",
        "SCRAM-SHA-1$99999999999999999999:CQgH$KA:SA", "SCRAM-SHA-1$1:CQgH$KA:SA:SA",
        "SCRAM-SHA-1$1:CQgH$KA", "SCRAM-SHA-1$1:CQgH$KA:CQgH", "SCRAM-SHA-1$1:CQgH$CQgH:SA",
        "SCRAM-SHA-256$1:CQgH$KA:SA", " SCRAM-SHA-1$1:CQgH$KA:SA",
    ])
    func anythingElseIsNone(template: String) {
        // KA and SA stand for a key and a signature of twenty octets.
        let key = String(decoding: Base64.encode([UInt8](repeating: 5, count: 20)), as: UTF8.self)
        func text(_ template: String) -> [UInt8] {
            let filled = template.split(separator: "KA", omittingEmptySubsequences: false)
                .joined(separator: key)
            return Array(
                filled.split(separator: "SA", omittingEmptySubsequences: false)
                    .joined(separator: key).utf8
            )
        }
        #expect(SCRAMKeys(text: text(template)) == nil)
        #expect(SCRAMKeys(text: text("SCRAM-SHA-1$1:CQgH$KA:SA")) != nil)
    }

    @Test func iterationsAreNoFewerThanTheRFCsAsk() {
        #expect(SCRAMKeys.Mechanism.sha256.iterations >= 4096)
        #expect(SCRAMKeys.Mechanism.sha1.iterations >= 4096)
    }
}
