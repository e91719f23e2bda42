// SPDX-License-Identifier: Apache-2.0
//
// What holds for tokens and for files of keys, whatever the octets: no trap, and no token that
// nobody signed is anybody's.

import Credentials
import MailBytes

/// Gives the input to a verifier as a token, as each part of one, and as a file of keys.
public enum TokenProperty {
    /// The key of RFC 7515, appendix A.3.
    private static let keys = Array(
        (#"{"keys":[{"kty":"EC","crv":"P-256","#
            + #""x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#
            + #""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#).utf8
    )
    private static let verifier = (try? TokenKeys(octets: keys)).map {
        TokenVerifier(issuers: [
            TokenIssuer(issuer: "joe", audience: "mail", identityClaim: "sub", keys: $0)
        ])
    }

    /// Throws when a property does not hold.
    public static func check(_ input: [UInt8]) throws(BrokenProperty) {
        guard let verifier = self.verifier else {
            throw BrokenProperty(description: "the published key is a key")
        }
        let part = self.base64URL(input)
        let header = self.base64URL(Array(#"{"alg":"ES256"}"#.utf8))
        let claims = self.base64URL(Array(#"{"iss":"joe","aud":"mail","exp":9e9,"sub":"u"}"#.utf8))
        let tokens = [
            input, part + [.dot] + claims + [.dot] + part, header + [.dot] + part + [.dot] + part,
            header + [.dot] + claims + [.dot] + part,
        ]
        for token in tokens {
            guard case .success(let identity) = verifier.verify(token, now: 1_700_000_000) else {
                continue
            }
            throw BrokenProperty(description: "nobody signed a token of \(identity)")
        }
        _ = try? TokenKeys(octets: input)
    }

    private static func base64URL(_ octets: [UInt8]) -> [UInt8] {
        Base64.encode(octets).compactMap { octet in
            switch octet {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            case UInt8(ascii: "="): nil
            default: octet
            }
        }
    }
}
