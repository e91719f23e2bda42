// SPDX-License-Identifier: Apache-2.0
//
// A SCRAM client (RFC 5802) that knows its password and believes no server that does not.

import Foundation
import MailBytes
import Testing

@testable import Credentials

/// The client's side of one exchange.
struct SCRAMClient {
    let mechanism: SCRAMKeys.Mechanism
    let header: String
    /// What it takes the channel to be.
    var binding: [UInt8] = []
    let user: String
    let password: String
    let nonce: String
    private(set) var serverSignature: [UInt8] = []

    init(
        _ mechanism: SCRAMKeys.Mechanism,
        header: String = "n,,",
        binding: [UInt8] = [],
        user: String,
        password: String,
        nonce: String = "fyko+d2lbbFgONRv9qkxdawL"
    ) {
        self.mechanism = mechanism
        self.header = header
        self.binding = binding
        self.user = user.replacing("=", with: "=3D").replacing(",", with: "=2C")
        self.password = password
        self.nonce = nonce
    }

    var first: [UInt8] { Array("\(self.header)n=\(self.user),r=\(self.nonce)".utf8) }

    /// The answer to the server's first message.
    mutating func final(after challenge: [UInt8]) throws -> [UInt8] {
        let text = String(decoding: challenge, as: UTF8.self)
        let attributes = text.split(separator: ",").map { String($0.dropFirst(2)) }
        #expect(attributes.count == 3)
        #expect(attributes[0].hasPrefix(self.nonce))
        #expect(attributes[0].count > self.nonce.count)
        let salt = try #require(Base64.decode(Array(attributes[1].utf8)))
        let iterations = try #require(Int(attributes[2]))
        let function = self.mechanism.function
        let salted = try #require(
            LibCrypto.pbkdf2(
                function,
                password: Array(self.password.utf8),
                salt: salt,
                iterations: iterations
            )
        )
        let clientKey = try self.hmac(salted, Array("Client Key".utf8))
        let storedKey = try #require(LibCrypto.hash(function, clientKey))
        let serverKey = try self.hmac(salted, Array("Server Key".utf8))
        let bound = String(
            decoding: Base64.encode(Array(self.header.utf8) + self.binding),
            as: UTF8.self
        )
        let withoutProof = "c=\(bound),r=\(attributes[0])"
        let message = Array("n=\(self.user),r=\(self.nonce),\(text),\(withoutProof)".utf8)
        let proof = zip(clientKey, try self.hmac(storedKey, message)).map { $0 ^ $1 }
        self.serverSignature = try self.hmac(serverKey, message)
        return Array("\(withoutProof),p=".utf8) + Base64.encode(proof)
    }

    /// Whether the server's last message shows that it knows the password, too.
    func believes(_ challenge: [UInt8]) -> Bool {
        challenge == Array("v=".utf8) + Base64.encode(self.serverSignature)
    }

    private func hmac(_ key: [UInt8], _ message: [UInt8]) throws -> [UInt8] {
        try #require(LibCrypto.hmac(self.mechanism.function, key: key, message))
    }
}
