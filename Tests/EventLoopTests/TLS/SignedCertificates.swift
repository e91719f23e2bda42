// SPDX-License-Identifier: Apache-2.0
//
// Certificates of a server by authorities of the test's own, made by the openssl command once for
// the whole run.

@testable import EventLoop
import Foundation
import Testing

/// What servers show, good and bad.
struct SignedCertificates: Sendable {
    typealias Files = TestCertificates.Files

    private let folder: TestCertificates

    /// The authority that clients know.
    var root: Files { self.folder.files("root") }
    /// Signed by it, and shown with it: mx.example.test, *.wild.example.test, an address, and what
    /// is not to match: a wildcard in a part of a label, a name in the subject alone.
    var good: Files { self.folder.files("good") }
    /// The same without the authority's own certificate.
    var unaccompanied: Files {
        (chainPath: self.folder.path("unaccompanied.pem"), keyPath: self.good.keyPath)
    }
    var expired: Files { self.folder.files("expired") }
    /// By an authority that nobody knows.
    var foreign: Files { self.folder.files("foreign") }
    /// Self-signed.
    var stranger: Files { self.folder.files("self-signed") }
    /// Without alternative names.
    var nameless: Files { self.folder.files("nameless") }

    static let shared = SignedCertificates()

    private init() {
        let folder = TestCertificates.shared
        self.folder = folder
        let curve = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        let isAuthority = "basicConstraints=critical,CA:TRUE"
        folder.make("root", curve, "/CN=Root", isAuthority)
        folder.make("unheard-of", curve, "/CN=Unheard of", isAuthority)
        let root = folder.files("root")
        let unheardOf = folder.files("unheard-of")
        let byRoot = ["-CA", root.chainPath, "-CAkey", root.keyPath]
        let byUnheardOf = ["-CA", unheardOf.chainPath, "-CAkey", unheardOf.keyPath]
        let names =
            "subjectAltName=DNS:mx.example.test,DNS:*.wild.example.test,"
            + "DNS:f*.part.example.test,IP:127.0.0.1"
        folder.make("good", curve, "/CN=only-in-subject.example.test", names, byRoot)
        self.makeExpired(names)
        folder.make("foreign", curve, "/CN=mx.example.test", names, byUnheardOf)
        folder.make("self-signed", curve, "/CN=mx.example.test", names)
        folder.make("nameless", curve, "/CN=mx.example.test", "keyUsage=digitalSignature", byRoot)
        self.accompany(by: root)
    }

    /// What "req" does not make, "x509" makes of its request.
    private func makeExpired(_ names: String) {
        let request = self.folder.path("expired.csr")
        let made = Command.run([
            "sh", "-c",
            "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
                + "-keyout \(self.expired.keyPath) -out \(request) -subj /CN=mx.example.test "
                + "-addext '\(names)' && openssl x509 -req -in \(request) -days -1 "
                + "-CA \(self.root.chainPath) -CAkey \(self.root.keyPath) -CAcreateserial "
                + "-copy_extensions copy -out \(self.expired.chainPath)",
        ])
        #expect(made.status == 0, "\(made.output)")
    }

    private func accompany(by root: Files) {
        let made = Command.run([
            "sh", "-c",
            "cp \(self.good.chainPath) \(self.unaccompanied.chainPath) && "
                + "for file in \(self.good.chainPath) \(self.expired.chainPath); do "
                + "cat \(root.chainPath) >> $file; done",
        ])
        #expect(made.status == 0, "\(made.output)")
    }

    /// The record for a certificate, as the openssl command makes it.
    func association(
        of files: Files,
        _ usage: UInt8,
        _ selector: UInt8,
        _ matchingType: UInt8
    ) throws -> TLSAssociation {
        let whole = "openssl x509 -in \(files.chainPath)"
        let shown =
            selector == 0
            ? "\(whole) -outform DER"
            : "\(whole) -noout -pubkey | openssl pkey -pubin -outform DER"
        let digest = ["cat", "openssl dgst -sha256 -binary", "openssl dgst -sha512 -binary"]
        let made = Command.run([
            "sh", "-c", "\(shown) | \(digest[Int(matchingType)]) | od -An -v -tx1",
        ])
        let text = Array(made.output.filter { !$0.isWhitespace }.utf8)
        return TLSAssociation(
            usage: usage,
            selector: selector,
            matchingType: matchingType,
            association: try stride(from: 0, to: text.count, by: 2).map { place in
                let pair = String(decoding: text[place..<(place + 2)], as: UTF8.self)
                return try #require(UInt8(pair, radix: 16))
            }
        )
    }
}
