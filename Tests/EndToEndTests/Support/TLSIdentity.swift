// SPDX-License-Identifier: Apache-2.0
//
// Keys and certificates for one test, made by openssl: what a server shows, what its clients trust,
// and what a client shows.

import Foundation
import Testing

/// A certificate for localhost, its authority, and a client's certificate with another.
final class TLSIdentity {
    private let scratch: ScratchDirectory

    /// What the server shows; clients trust it as it is.
    var certificate: String { self.scratch.path + "/server.pem" }
    var key: String { self.scratch.path + "/server.key" }
    /// Who issues certificates of clients.
    var clientAuthority: String { self.scratch.path + "/clients.pem" }
    var clientCertificate: String { self.scratch.path + "/client.pem" }
    var clientKey: String { self.scratch.path + "/client.key" }

    /// A certificate for localhost and 127.0.0.1, and one for a client with a mailbox.
    init(client mailbox: String) throws {
        self.scratch = try ScratchDirectory()
        try self.renewServer()
        try Self.openssl(
            ["req", "-x509", "-subj", "/CN=Authority of clients", "-days", "2"] + Self.newKey
                + ["-keyout", self.scratch.path + "/clients.key", "-out", self.clientAuthority]
        )
        try Self.openssl(
            ["req", "-subj", "/CN=\(mailbox)"] + Self.newKey
                + ["-keyout", self.clientKey, "-out", self.scratch.path + "/client.csr"]
        )
        let extensions = try self.scratch.file(
            "client.ext",
            holding: Data(
                "subjectAltName=email:\(mailbox)\nextendedKeyUsage=clientAuth\n".utf8
            )
        )
        try Self.openssl([
            "x509", "-req", "-in", self.scratch.path + "/client.csr", "-days", "2", "-CA",
            self.clientAuthority, "-CAkey", self.scratch.path + "/clients.key", "-set_serial", "2",
            "-extfile", extensions.path, "-out", self.clientCertificate,
        ])
    }

    /// Puts another certificate and key in the place of the server's.
    func renewServer() throws {
        try Self.openssl(
            [
                "req", "-x509", "-subj", "/CN=localhost", "-days", "2", "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1",
            ] + Self.newKey + ["-keyout", self.key + ".new", "-out", self.certificate + ".new"]
        )
        for path in [self.key, self.certificate] {
            try Data(contentsOf: URL(filePath: path + ".new"))
                .write(to: URL(filePath: path), options: .atomic)
        }
    }

    private static let newKey = [
        "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
    ]

    @discardableResult
    static func openssl(_ arguments: [String], input: Data = Data()) throws -> Data {
        try Command.succeed("openssl", arguments, input: input).output
    }
}
