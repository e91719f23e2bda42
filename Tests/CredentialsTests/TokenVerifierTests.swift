// SPDX-License-Identifier: Apache-2.0

import MailBytes
import Testing

@testable import Credentials

@Suite struct TokenVerifierTests {
    private static let keys = Result { (try SigningKey("EC:P-256"), try SigningKey("RSA:2048")) }
    private static let now = 1_700_000_000
    private static let claims = #""iss":"https://id.example","aud":"mail","exp":1700000600"#
    private static let identity = #""email":"tim@example.org""#

    /// A verifier of one issuer with keys in this form.
    private func verifier(_ keys: String, claim: String = "email") throws -> TokenVerifier {
        TokenVerifier(issuers: [try self.issuer(keys, claim: claim)])
    }

    private func issuer(
        _ keys: String,
        audience: String = "mail",
        claim: String = "email"
    ) throws -> TokenIssuer {
        TokenIssuer(
            issuer: "https://id.example",
            audience: audience,
            identityClaim: claim,
            keys: try TokenKeys(octets: Array(keys.utf8))
        )
    }

    private func jwks(_ keys: String...) -> String {
        #"{"keys":[\#(keys.joined(separator: ","))]}"#
    }

    /// What comes of claims, signed by the EC key.
    private func outcome(
        _ claims: String,
        claim: String = "email",
        now: Int = now
    ) throws -> Result<TokenIdentity, TokenRefusal> {
        let (key, _) = try Self.keys.get()
        let verifier = try self.verifier(self.jwks(try key.jwk()), claim: claim)
        return verifier.verify(Array(try key.token("{\(claims)}").utf8), now: now)
    }

    private static let tim = Result<TokenIdentity, TokenRefusal>.success(
        TokenIdentity(name: Array("tim@example.org".utf8), issuer: "https://id.example")
    )

    @Test func tokensOfBothAlgorithmsAreTaken() throws {
        let (ec, rsa) = try Self.keys.get()
        let both = self.jwks(try ec.jwk(#""kid":"1","use":"sig""#), try rsa.jwk(#""alg":"RS256""#))
        let pem = String(decoding: try ec.publicPEM() + rsa.publicPEM(), as: UTF8.self)
        let certificates = String(decoding: try rsa.certificate() + ec.certificate(), as: UTF8.self)
        for keys in [both, pem, certificates] {
            let verifier = try self.verifier(keys)
            for key in [ec, rsa] {
                let token = try key.token("{\(Self.claims),\(Self.identity)}")
                #expect(verifier.verify(Array(token.utf8), now: Self.now) == Self.tim)
            }
        }
    }

    @Test func aTokenIsSignedByItsIssuer() throws {
        let (ec, rsa) = try Self.keys.get()
        let verifier = try self.verifier(self.jwks(try ec.jwk(), try rsa.jwk()))
        for key in [try SigningKey("EC:P-256"), try SigningKey("RSA:2048")] {
            let token = try key.token("{\(Self.claims),\(Self.identity)}")
            #expect(verifier.verify(Array(token.utf8), now: Self.now) == .failure(.wrongSignature))
        }
    }

    /// Nothing decides about the algorithm but the key.
    @Test func algorithmsAreNotConfused() throws {
        let (ec, rsa) = try Self.keys.get()
        let claims = "{\(Self.claims),\(Self.identity)}"
        let onlyEC = try self.verifier(self.jwks(try ec.jwk()))
        let onlyRSA = try self.verifier(String(decoding: try rsa.publicPEM(), as: UTF8.self))
        let byRSA = Array(try rsa.token(claims).utf8)
        let byEC = Array(try ec.token(claims).utf8)
        #expect(onlyRSA.verify(byRSA, now: Self.now) == Self.tim)
        #expect(onlyEC.verify(byEC, now: Self.now) == Self.tim)
        #expect(onlyEC.verify(byRSA, now: Self.now) == .failure(.unknownKey))
        #expect(onlyRSA.verify(byEC, now: Self.now) == .failure(.unknownKey))
        let lies = [
            (ec, #"{"alg":"RS256"}"#, TokenRefusal.unknownKey),
            (rsa, #"{"alg":"ES256"}"#, .wrongSignature),
        ]
        for (key, header, refusal) in lies {
            let token = Array(try key.token(claims, header: header).utf8)
            #expect(onlyEC.verify(token, now: Self.now) == .failure(refusal))
        }
    }

    @Test(arguments: [
        #""none""#, #""None""#, #""""#, #""HS256""#, #""RS384""#, #""ES384""#, #""PS256""#,
        #""es256""#, #""EdDSA""#,
    ])
    func otherAlgorithmsAreRefused(name: String) throws {
        let (ec, rsa) = try Self.keys.get()
        for key in [ec, rsa] {
            let pem = try key.publicPEM()
            let verifier = try self.verifier(String(decoding: pem, as: UTF8.self))
            let head = base64URL(Array(#"{"alg":\#(name)}"#.utf8))
            let body = base64URL(Array("{\(Self.claims),\(Self.identity)}".utf8))
            let signed = Array("\(head).\(body)".utf8)
            // As HS256 it is right, with the public key for a secret.
            let code = try #require(LibCrypto.hmac(.sha256, key: pem, signed))
            for signature in [code, [], try key.signature(over: signed)] {
                let token = signed + [0x2e] + Array(base64URL(signature).utf8)
                let outcome = verifier.verify(token, now: Self.now)
                #expect(outcome == .failure(.unsupportedAlgorithm))
            }
        }
    }

    @Test func keysHaveNames() throws {
        let (key, _) = try Self.keys.get()
        let other = try SigningKey("EC:P-256")
        let claims = "{\(Self.claims),\(Self.identity)}"
        let named = try self.verifier(
            self.jwks(try other.jwk(#""kid":"old""#), try key.jwk(#""kid":"new""#))
        )
        let unnamed = try self.verifier(String(decoding: try key.publicPEM(), as: UTF8.self))
        func token(_ more: String) throws -> [UInt8] {
            Array(try key.token(claims, header: #"{"alg":"ES256"\#(more)}"#).utf8)
        }
        let right = try token(#","kid":"new""#)
        #expect(named.verify(right, now: Self.now) == Self.tim)
        #expect(unnamed.verify(right, now: Self.now) == Self.tim)
        #expect(named.verify(try token(""), now: Self.now) == Self.tim)
        let wrong = try token(#","kid":"old""#)
        #expect(named.verify(wrong, now: Self.now) == .failure(.wrongSignature))
        let unknown = try token(#","kid":"newer""#)
        #expect(named.verify(unknown, now: Self.now) == .failure(.unknownKey))
        let number = try token(#","kid":1"#)
        #expect(named.verify(number, now: Self.now) == .failure(.malformed))
        // A key in the token itself is nobody's.
        let brought = try other.token(
            claims,
            header: #"{"alg":"ES256","jwk":\#(try other.jwk())}"#
        )
        #expect(unnamed.verify(Array(brought.utf8), now: Self.now) == .failure(.wrongSignature))
        let critical = try token(#","crit":["exp"]"#)
        #expect(named.verify(critical, now: Self.now) == .failure(.malformed))
    }

    @Test(arguments: [
        // A minute's difference of the clocks is allowed for.
        (#""exp":1700000600"#, 1_700_000_659, TokenRefusal?.none),
        (#""exp":1700000600"#, 1_700_000_660, .expired),
        (#""exp":1700000600.5"#, 1_700_000_660, nil), (#""exp":17000006e2"#, 1_700_000_000, nil),
        (#""exp":17000006e2"#, 1_700_000_660, .expired), (#""exp":"1700000600""#, 0, .expired),
        (#""exp":null"#, 0, .expired), (#""exp":-1"#, 1_700_000_000, .expired),
        (#""iat":1700000000"#, 1_700_000_000, .expired), (#""exp":1e999"#, 0, .malformed),
        (#""exp":1700000600,"nbf":1700000000"#, 1_699_999_940, nil),
        (#""exp":1700000600,"nbf":1700000000"#, 1_699_999_939, .notYetValid),
        (#""exp":1700000600,"nbf":"1700000000""#, 1_700_000_000, .malformed),
    ])
    func tokensHaveTheirTime(time: String, now: Int, refusal: TokenRefusal?) throws {
        let claims = #""iss":"https://id.example","aud":"mail",\#(time),\#(Self.identity)"#
        let expected = refusal.map { Result<TokenIdentity, TokenRefusal>.failure($0) } ?? Self.tim
        #expect(try self.outcome(claims, now: now) == expected)
    }

    @Test(arguments: [
        (#""iss":"https://id.example","aud":["a","mail"]"#, TokenRefusal?.none),
        (#""iss":"https://id.example","aud":["mail"]"#, nil),
        (#""iss":"https://id.example","aud":[]"#, .wrongAudience),
        (#""iss":"https://id.example","aud":["mai","mail2"]"#, .wrongAudience),
        (#""iss":"https://id.example","aud":"Mail""#, .wrongAudience),
        (#""iss":"https://id.example","aud":"""#, .wrongAudience),
        (#""iss":"https://id.example","aud":1"#, .wrongAudience),
        (#""iss":"https://id.example","aud":[["mail"]]"#, .wrongAudience),
        (#""iss":"https://id.example""#, .wrongAudience),
        (#""iss":"https://id.example/","aud":"mail""#, .unknownIssuer),
        (#""iss":"","aud":"mail""#, .unknownIssuer), (#""iss":null,"aud":"mail""#, .unknownIssuer),
        (#""aud":"mail""#, .unknownIssuer),
    ])
    func tokensAreForUs(names: String, refusal: TokenRefusal?) throws {
        let claims = #"\#(names),"exp":1700000600,\#(Self.identity)"#
        let expected = refusal.map { Result<TokenIdentity, TokenRefusal>.failure($0) } ?? Self.tim
        #expect(try self.outcome(claims) == expected)
    }

    @Test(arguments: [
        (#""email":"tim@example.org","email_verified":true"#, "email", true),
        (#""email":"tim@example.org","email_verified":"true""#, "email", true),
        (#""email":"tim@example.org","email_verified":false"#, "email", false),
        (#""email":"tim@example.org","email_verified":"false""#, "email", false),
        (#""sub":"tim@example.org","email_verified":false"#, "sub", true),
        (#""sub":"tim@example.org""#, "email", false), (#""email":"""#, "email", false),
        (#""email":["tim@example.org"]"#, "email", false), (#""email":1"#, "email", false),
        (#""email":"tim@example.org\u0000""#, "email", false),
        (#""e\u006dail":"tim\u0040example.org""#, "email", true),
    ])
    func tokensNameAnAccount(claims: String, claim: String, isTaken: Bool) throws {
        let outcome = try self.outcome("\(Self.claims),\(claims)", claim: claim)
        #expect(outcome == (isTaken ? Self.tim : .failure(.noIdentity)))
    }

    /// One issuer may have tokens for several audiences, each with a claim of its own.
    @Test func audiencesAreTriedInTurn() throws {
        let (key, _) = try Self.keys.get()
        let keys = self.jwks(try key.jwk())
        let verifier = TokenVerifier(issuers: [
            try self.issuer(keys, audience: "other", claim: "sub"), try self.issuer(keys),
        ])
        let token = try key.token(#"{\#(Self.claims),\#(Self.identity),"sub":"17"}"#)
        #expect(verifier.verify(Array(token.utf8), now: Self.now) == Self.tim)
        let nobody = TokenVerifier(issuers: [])
        #expect(nobody.verify(Array(token.utf8), now: Self.now) == .failure(.unknownIssuer))
    }

    @Test func aTokenCannotBeChanged() throws {
        let (ec, rsa) = try Self.keys.get()
        let verifier = try self.verifier(self.jwks(try ec.jwk(), try rsa.jwk()))
        for key in [ec, rsa] {
            let token = try key.token("{\(Self.claims),\(Self.identity)}")
            let parts = token.split(separator: ".").map(String.init)
            let others = base64URL(Array(#"{\#(Self.claims),"email":"tom@example.org"}"#.utf8))
            let forged = "\(parts[0]).\(others).\(parts[2])"
            #expect(verifier.verify(Array(forged.utf8), now: Self.now) == .failure(.wrongSignature))
            let signature = try #require(Base64.decodeURL(Array(parts[2].utf8)))
            var wrong = [
                [], [0], [UInt8](repeating: 0, count: signature.count), Array(signature.dropLast()),
                signature + [0], [0] + signature,
                try key.signature(over: Array("something else".utf8)),
            ]
            for index in stride(from: 0, to: signature.count, by: 7) {
                var changed = signature
                changed[index] ^= 0x10
                wrong.append(changed)
            }
            for signature in wrong {
                let forged = "\(parts[0]).\(parts[1]).\(base64URL(signature))"
                let outcome = verifier.verify(Array(forged.utf8), now: Self.now)
                #expect(outcome == .failure(.wrongSignature))
            }
        }
        // RFC 7518, section 3.4: two numbers, not the sequence that other formats have.
        let signed =
            "\(base64URL(Array(#"{"alg":"ES256"}"#.utf8)))."
            + base64URL(Array("{\(Self.claims),\(Self.identity)}".utf8))
        let sequence = try ec.signature(over: Array(signed.utf8))
        let token = Array("\(signed).\(base64URL(sequence))".utf8)
        #expect(verifier.verify(token, now: Self.now) == .failure(.wrongSignature))
    }

    @Test func anythingElseIsNoToken() throws {
        let (key, _) = try Self.keys.get()
        let verifier = try self.verifier(self.jwks(try key.jwk()))
        let token = try key.token("{\(Self.claims),\(Self.identity)}")
        #expect(verifier.verify(Array(token.utf8), now: Self.now) == Self.tim)
        let parts = token.split(separator: ".").map(String.init)
        func encoded(_ text: String) -> String { base64URL(Array(text.utf8)) }
        let others = [
            "", ".", "..", "...", "x", "\(parts[0]).\(parts[1])", "\(token).", ".\(token)",
            "\(token).\(parts[2])", " \(token)", "\(token)\n", "\(token)=", "\(token)+",
            "\(parts[0])==.\(parts[1]).\(parts[2])", "\(parts[0])..\(parts[2])",
            ".\(parts[1]).\(parts[2])",
            "\(encoded("[]")).\(parts[1]).\(parts[2])", "\(encoded("{}")).\(parts[1]).\(parts[2])",
            "\(encoded(#"{"alg":1}"#)).\(parts[1]).\(parts[2])",
            "\(encoded(#"{"alg":"ES256","alg":"none"}"#)).\(parts[1]).\(parts[2])",
            "\(encoded(#"{"alg":"ES256"} x"#)).\(parts[1]).\(parts[2])",
            "\(parts[0]).\(encoded("[]")).\(parts[2])", "\(parts[0]).\(encoded("7")).\(parts[2])",
            "\(parts[0]).\(encoded(#"{"iss":"a","iss":"https://id.example"}"#)).\(parts[2])",
            "\(token)\(String(repeating: "A", count: 8192))",
        ]
        for other in others {
            let outcome = verifier.verify(Array(other.utf8), now: Self.now)
            #expect(outcome == .failure(.malformed), "\(other)")
        }
    }

    /// RFC 7515, appendices A.2 and A.3.
    @Test func publishedSignatures() throws {
        let payload =
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9"
            + "leGFtcGxlLmNvbS9pc19yb290Ijp0"
            + "cnVlfQ"
        let modulus =
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxH"
            + "mfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt"
            + "0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpa"
            + "SHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9k"
            + "G4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp"
            + "oQ"
        let signature =
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5"
            + "RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W"
            + "2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARN"
            + "PvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
            + "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77"
            + "Rw"
        let rsa = try TokenKeys(
            octets: Array(#"{"keys":[{"kty":"RSA","n":"\#(modulus)","e":"AQAB"}]}"#.utf8)
        )
        let ec = try TokenKeys(
            octets: Array(
                (#"{"keys":[{"kty":"EC","crv":"P-256","#
                    + #""x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#
                    + #""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#).utf8
            )
        )
        let other =
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-K"
            + "g6NU1Q"
        for (header, keys, signature) in [
            ("eyJhbGciOiJSUzI1NiJ9", rsa, signature), ("eyJhbGciOiJFUzI1NiJ9", ec, other),
        ] {
            let token = try JSONWebToken(Array("\(header).\(payload).\(signature)".utf8))
            let key = try #require(keys.keys.first)
            #expect(token.algorithm == key.algorithm)
            #expect(key.verify(token.signature, of: token.signedOctets))
            #expect(token.claims["iss"] == .string(Array("joe".utf8)))
            #expect(token.claims["exp"] == .number(1_300_819_380))
            let verifier = TokenVerifier(issuers: [
                TokenIssuer(issuer: "joe", audience: "", identityClaim: "iss", keys: keys)
            ])
            let octets = Array("\(header).\(payload).\(signature)".utf8)
            #expect(verifier.verify(octets, now: 1_300_819_000) == .failure(.wrongAudience))
        }
    }
}
