// SPDX-License-Identifier: Apache-2.0
//
// Keys and certificates made by the openssl command, once for the whole run.

import Foundation
import Testing

/// An authority, two certificates of it, and one of nobody's.
struct PolicyCertificates: Sendable {
    typealias Files = (chainPath: String, keyPath: String)

    private let folder: URL

    var authority: Files { self.files("authority") }
    /// mta-sts.example.test.
    var good: Files { self.files("good") }
    /// *.example.test and not mta-sts.sub.example.test.
    var wild: Files { self.files("wild") }
    /// mta-sts.other.test.
    var other: Files { self.files("other") }
    /// The right name, signed by itself.
    var stranger: Files { self.files("stranger") }

    static let shared = PolicyCertificates()

    private init() {
        self.folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-policy-\(UUID().uuidString)")
        try? FileManager.default.createDirectory(
            at: self.folder,
            withIntermediateDirectories: true
        )
        self.make("authority", "basicConstraints=critical,CA:TRUE")
        let authority = ["-CA", self.authority.chainPath, "-CAkey", self.authority.keyPath]
        self.make("good", "subjectAltName=DNS:mta-sts.example.test", authority)
        self.make("wild", "subjectAltName=DNS:*.example.test", authority)
        self.make("other", "subjectAltName=DNS:mta-sts.other.test", authority)
        self.make("stranger", "subjectAltName=DNS:mta-sts.example.test")
    }

    private func files(_ name: String) -> Files {
        (
            chainPath: self.folder.appendingPathComponent("\(name).pem").path,
            keyPath: self.folder.appendingPathComponent("\(name).key").path
        )
    }

    private func make(_ name: String, _ extensionText: String, _ more: [String] = []) {
        let files = self.files(name)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["timeout", "20", "openssl", "req", "-x509", "-newkey", "ec"]
            + ["-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
            + ["-keyout", files.keyPath, "-out", files.chainPath, "-subj", "/CN=\(name)"]
            + ["-addext", extensionText] + more
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try? process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }
}
