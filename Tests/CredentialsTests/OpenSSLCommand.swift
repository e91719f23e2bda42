// SPDX-License-Identifier: Apache-2.0
//
// Keys and signatures by the openssl command, so that what is verified was not made by the code
// that verifies it.

import Foundation
import MailBytes
import Testing

/// A private key in a file, and what the command makes with it.
final class SigningKey: Sendable {
    /// The JSON name of how it signs.
    let algorithm: String
    private let folder: URL

    /// Makes a key: "RSA:2048", or "EC:P-256".
    init(_ kind: String) throws {
        let parts = kind.split(separator: ":").map(String.init)
        let isRSA = parts[0] == "RSA"
        self.algorithm = isRSA ? "RS256" : "ES256"
        self.folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-key-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        try self.run(
            "genpkey",
            "-algorithm",
            parts[0],
            "-pkeyopt",
            (isRSA ? "rsa_keygen_bits:" : "ec_paramgen_curve:") + parts[1],
            "-out",
            self.path
        )
    }

    deinit { try? FileManager.default.removeItem(at: self.folder) }

    var path: String { self.folder.appendingPathComponent("key.pem").path }

    /// The public key as PEM.
    func publicPEM() throws -> [UInt8] { try self.run("pkey", "-in", self.path, "-pubout") }

    /// The private key as PEM.
    func privatePEM() throws -> [UInt8] { try self.run("pkey", "-in", self.path) }

    /// A certificate for the key as PEM.
    func certificate() throws -> [UInt8] {
        try self.run("req", "-x509", "-new", "-key", self.path, "-subj", "/CN=issuer", "-days", "9")
    }

    /// The public key as a JSON Web Key, with further members.
    func jwk(_ more: String = "") throws -> String {
        let more = more.isEmpty ? "" : ",\(more)"
        guard self.algorithm == "RS256" else {
            let octets = try self.run("pkey", "-in", self.path, "-pubout", "-outform", "DER")
            let point = Array(octets.suffix(64))
            return #"{"kty":"EC","crv":"P-256","x":"\#(base64URL(Array(point[..<32])))","#
                + #""y":"\#(base64URL(Array(point[32...])))"\#(more)}"#
        }
        let line = String(
            decoding: try self.run("rsa", "-in", self.path, "-modulus", "-noout"),
            as: UTF8.self
        )
        let digits = Array(try #require(line.split(separator: "=").last).filter(\.isHexDigit).utf8)
        let modulus = stride(from: 0, to: digits.count, by: 2).map {
            UInt8(String(decoding: digits[$0...($0 + 1)], as: UTF8.self), radix: 16) ?? 0
        }
        return #"{"kty":"RSA","n":"\#(base64URL(modulus))","e":"AQAB"\#(more)}"#
    }

    /// A signature as the command makes it.
    func signature(over message: [UInt8]) throws -> [UInt8] {
        let file = self.folder.appendingPathComponent(UUID().uuidString)
        try Data(message).write(to: file)
        return try self.run("dgst", "-sha256", "-sign", self.path, file.path)
    }

    /// A token of these claims.
    func token(_ claims: String, header: String? = nil) throws -> String {
        let header = header ?? #"{"alg":"\#(self.algorithm)"}"#
        let signed = "\(base64URL(Array(header.utf8))).\(base64URL(Array(claims.utf8)))"
        var signature = try self.signature(over: Array(signed.utf8))
        if self.algorithm == "ES256" { signature = Self.numbers(ofDER: signature) }
        return "\(signed).\(base64URL(signature))"
    }

    /// Both numbers of a DER sequence, in 32 octets each.
    private static func numbers(ofDER octets: [UInt8]) -> [UInt8] {
        func number(_ start: Int) -> [UInt8] {
            let value = octets[(start + 2)..<(start + 2 + Int(octets[start + 1]))].suffix(32)
            return [UInt8](repeating: 0, count: 32 - value.count) + value
        }
        return number(2) + number(4 + Int(octets[3]))
    }

    @discardableResult
    private func run(_ arguments: String...) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "openssl \(arguments)")
        return Array(said)
    }
}

/// Base64 in the alphabet for URLs, without padding.
func base64URL(_ octets: [UInt8]) -> String {
    String(decoding: Base64.encode(octets), as: UTF8.self)
        .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
}
