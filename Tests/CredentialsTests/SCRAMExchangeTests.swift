// SPDX-License-Identifier: Apache-2.0

import MailBytes
import Testing

@testable import Credentials

@Suite struct SCRAMExchangeTests {
    private static let message =
        "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        + "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        + "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"

    private func decode(_ text: String) throws -> [UInt8] {
        try #require(Base64.decode(Array(text.utf8)))
    }

    /// RFC 7677, section 3.
    @Test func publishedProof() throws {
        let keys = try #require(
            SCRAMKeys(
                deriving: .sha256,
                from: Array("pencil".utf8),
                salt: try self.decode("W22ZaJ0SNY7soEsUEjb6gQ=="),
                iterations: 4096
            )
        )
        let proof = try self.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
        let message = Array(Self.message.utf8)
        let signature = try self.decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
        #expect(keys.verify(clientProof: proof, authMessage: message) == signature)

        for index in proof.indices {
            var other = proof
            other[index] ^= 1
            #expect(keys.verify(clientProof: other, authMessage: message) == nil)
        }
        for other in [[], Array(proof.dropLast()), proof + [0]] {
            #expect(keys.verify(clientProof: other, authMessage: message) == nil)
        }
        #expect(keys.verify(clientProof: proof, authMessage: message + [0x2c]) == nil)
        #expect(keys.verify(clientProof: proof, authMessage: []) == nil)
    }

    @Test func recordsGiveTheirKeys() throws {
        let record = PasswordRecord(derivingFrom: Array("pencil".utf8))
        for mechanism in [SCRAMKeys.Mechanism.sha256, .sha1] {
            let keys = try #require(record.scramKeys(mechanism))
            #expect(keys.mechanism == mechanism)
            #expect(keys.iterations == mechanism.iterations)
            #expect(keys.salt.count == SCRAMKeys.saltOctets)
            #expect(keys.matches(Array("pencil".utf8)))
        }
        let imported =
            "$6$saltstring$Wspbkvh9VR9k.5FhrEX5QuXIhny1ZR6t1JcW7cUaNNlvGe"
            + "ocueB2IYFN40CbfZ4cl/WePSJC5pA/G1VTFwAkU."
        let crypt = try #require(PasswordRecord(cryptHash: Array(imported.utf8)))
        #expect(crypt.scramKeys(.sha256) == nil)
        #expect(PasswordRecord(text: [])?.scramKeys(.sha1) == nil)
    }

    @Test func unknownNamesLookLikeAnyOther() throws {
        let secret = [UInt8](repeating: 7, count: 32)
        func keys(
            _ name: String,
            _ mechanism: SCRAMKeys.Mechanism = .sha256,
            secret other: [UInt8]? = nil
        ) throws -> SCRAMKeys {
            let identity = Array(name.utf8)
            return try #require(
                SCRAMKeys.fake(mechanism, identity: identity, secret: other ?? secret)
            )
        }
        let tim = try keys("tim")
        #expect(try keys("tim") == tim)
        let real = try #require(PasswordRecord(derivingFrom: [1]).scramKeys(.sha256))
        #expect(tim.salt.count == real.salt.count)
        #expect(tim.iterations == real.iterations)
        #expect(tim.storedKey.count == 32 && tim.serverKey.count == 32)
        #expect(try keys("tim", .sha1).storedKey.count == 20)
        // Names, mechanisms and servers differ, as salts that were drawn do.
        let salts = [
            tim.salt, try keys("tom").salt, try keys("").salt, try keys("tim", .sha1).salt,
            try keys("tim", secret: [UInt8](repeating: 8, count: 32)).salt,
        ]
        #expect(Set(salts).count == salts.count)
        #expect(tim.storedKey != tim.serverKey)
        #expect(tim.verify(clientProof: [UInt8](repeating: 0, count: 32), authMessage: [1]) == nil)
        #expect(!tim.matches(Array("tim".utf8)))
    }
}
