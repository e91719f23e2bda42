// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Credentials

@Suite struct TokenKeysTests {
    private static let keys = Result { (try SigningKey("EC:P-256"), try SigningKey("RSA:2048")) }

    private func keys(_ text: String) throws -> [VerificationKey] {
        try TokenKeys(octets: Array(text.utf8)).keys
    }

    /// What is for another purpose does not spoil a set.
    @Test func othersInASetArePassedOver() throws {
        let (ec, rsa) = try Self.keys.get()
        let small = try SigningKey("RSA:1024")
        let members = [
            #"{"kty":"oct","k":"c2VjcmV0","kid":"1"}"#,
            #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            try ec.jwk(#""use":"enc""#), try ec.jwk(#""use":7"#), try rsa.jwk(#""alg":"PS256""#),
            try rsa.jwk(#""alg":"RS512""#), try ec.jwk(#""alg":"RS256""#), try small.jwk(),
            try ec.jwk().replacing("P-256", with: "P-384"), "7", "{}", "[]", "null",
            #"{"kty":"RSA"}"#, #"{"kty":"RSA","n":"","e":"AQAB"}"#,
            #"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, #"{"kty":"EC","crv":"P-256"}"#,
            // No point of the curve.
            #"{"kty":"EC","crv":"P-256","x":"\#(base64URL(Array(repeating: 1, count: 32)))","#
                + #""y":"\#(base64URL(Array(repeating: 1, count: 32)))"}"#,
        ]
        for member in members {
            #expect(throws: TokenKeysError.noUsableKey, "\(member)") {
                try self.keys(#"{"keys":[\#(member)]}"#)
            }
        }
        let usable = [try rsa.jwk(#""kid":"a","use":"sig","alg":"RS256""#), try ec.jwk()]
        let found = try self.keys(
            #"{"more":1,"keys":[\#((members + usable).joined(separator: ","))]}"#
        )
        #expect(found.map(\.algorithm) == [.rs256, .es256])
        #expect(found.map(\.identifier) == [Array("a".utf8), nil])
    }

    @Test func formsOfAKeyAreTheSame() throws {
        let (ec, rsa) = try Self.keys.get()
        for key in [ec, rsa] {
            let fromSet = try self.keys(#"{"keys":[\#(try key.jwk())]}"#)
            let fromPEM = try TokenKeys(octets: try key.publicPEM()).keys
            let fromCertificate = try TokenKeys(octets: try key.certificate()).keys
            #expect(fromSet.count == 1)
            #expect(fromPEM == fromSet)
            #expect(fromCertificate == fromSet)
        }
        // Text around and between the blocks is a comment.
        let commented =
            Array("the issuer's\n".utf8) + (try ec.publicPEM()) + Array("\nand\n".utf8)
            + (try rsa.publicPEM())
        #expect(try TokenKeys(octets: commented).keys.map(\.algorithm) == [.es256, .rs256])
    }

    @Test(arguments: [
        "", " ", "x", "{", "{}", "[]", #"{"keys":{}}"#, #"{"keys":[}"#, #"{"keys":[],"keys":[]}"#,
        "-----BEGIN PUBLIC KEY-----\n", "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN NONSENSE-----\nAAAA\n-----END NONSENSE-----\n",
    ])
    func otherFilesAreRefused(text: String) {
        #expect(throws: TokenKeysError.malformed) { try self.keys(text) }
    }

    /// A private key has no place on this server, and a weak one would be trusted.
    @Test func otherBlocksAreRefused() throws {
        let (ec, _) = try Self.keys.get()
        let good = try ec.publicPEM()
        let others = [
            try ec.privatePEM(), try SigningKey("RSA:1024").publicPEM(),
            try SigningKey("EC:P-384").publicPEM(),
        ]
        for other in others {
            for octets in [other, good + other, other + good] {
                #expect(throws: TokenKeysError.malformed) { try TokenKeys(octets: octets) }
            }
        }
    }

    @Test func filesAreRead() throws {
        let (ec, _) = try Self.keys.get()
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-keys-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(throws: TokenKeysError.unreadable(ENOENT)) { try TokenKeys(path: file.path) }
        try Data(try ec.publicPEM()).write(to: file)
        #expect(try TokenKeys(path: file.path).keys.count == 1)
        try Data(repeating: 0x0a, count: (1 << 20) + 1).write(to: file)
        #expect(throws: TokenKeysError.tooLarge) { try TokenKeys(path: file.path) }
        #expect(throws: TokenKeysError.unreadable(EISDIR)) { try TokenKeys(path: "/tmp") }
    }
}
