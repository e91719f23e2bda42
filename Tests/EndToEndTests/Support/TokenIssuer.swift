// SPDX-License-Identifier: Apache-2.0
//
// An issuer of JSON Web Tokens (RFC 7519), with a key that openssl made.

import Foundation

/// Signs tokens for the clients of a test.
final class TokenIssuer {
    enum Algorithm: String, CaseIterable {
        case rs256 = "RS256"
        case es256 = "ES256"

        fileprivate var keyOptions: [String] {
            switch self {
            case .rs256: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
            case .es256: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
            }
        }
    }

    static let audience = "mail.example.test"

    private let algorithm: Algorithm
    private let scratch: ScratchDirectory
    private var key: String { self.scratch.path + "/issuer.key" }
    /// The public key, in PEM.
    var publicKey: String { self.scratch.path + "/issuer.pem" }
    var name: String { "https://\(self.algorithm.rawValue.lowercased()).login.example.test" }

    init(_ algorithm: Algorithm) throws {
        self.algorithm = algorithm
        self.scratch = try ScratchDirectory()
        try TLSIdentity.openssl(["genpkey"] + algorithm.keyOptions + ["-out", self.key])
        try TLSIdentity.openssl(["pkey", "-in", self.key, "-pubout", "-out", self.publicKey])
    }

    /// The table that makes a server believe this issuer.
    var configuration: String {
        """
        [[auth.token-issuer]]
        issuer = "\(self.name)"
        audience = "\(Self.audience)"
        keys = "\(self.publicKey)"

        """
    }

    /// A token that says whose it is, good for ten minutes from `date`.
    func token(for mailbox: String, issuedAt date: Date = Date()) throws -> String {
        let now = Int(date.timeIntervalSince1970)
        let header = "{\"alg\":\"\(self.algorithm.rawValue)\",\"typ\":\"JWT\"}"
        let claims = """
            {"iss":"\(self.name)","aud":"\(Self.audience)","sub":"1234","email":"\(mailbox)",\
            "iat":\(now),"nbf":\(now - 5),"exp":\(now + 600)}
            """
        let signed = "\(Self.base64(Data(header.utf8))).\(Self.base64(Data(claims.utf8)))"
        let signature = try TLSIdentity.openssl(
            ["dgst", "-sha256", "-sign", self.key],
            input: Data(signed.utf8)
        )
        switch self.algorithm {
        case .rs256: return "\(signed).\(Self.base64(signature))"
        case .es256: return "\(signed).\(Self.base64(Self.raw(signature)))"
        }
    }

    /// The two numbers of an ECDSA signature in DER, 32 octets each (RFC 7518, section 3.4).
    private static func raw(_ signature: Data) -> Data {
        var rest = Array(signature)[2...]
        var numbers = Data()
        while rest.count > 2 {
            let count = Int(rest[rest.startIndex + 1])
            let number = rest.dropFirst(2).prefix(count).drop { $0 == 0 }
            numbers += [UInt8](repeating: 0, count: 32 - number.count) + number
            rest = rest.dropFirst(2 + count)
        }
        return numbers
    }

    private static func base64(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }
}
