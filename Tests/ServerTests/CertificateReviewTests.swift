// SPDX-License-Identifier: Apache-2.0
//
// What is said of certificates at the start and by `check`.

import Configuration
import Foundation
import Testing

@testable import Server

@Suite("The review of certificates")
final class CertificateReviewTests {
    private let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("martlet-\(UUID().uuidString)").path
    private var configuration = Configuration()

    init() throws {
        try FileManager.default.createDirectory(
            atPath: self.folder,
            withIntermediateDirectories: true
        )
        try self.make("a", names: "DNS:mail.example.test,DNS:*.wild.test")
        self.configuration.hostname = "mail.example.test"
        self.configuration.tls.certificatePath = "\(self.folder)/a.pem"
        self.configuration.tls.privateKeyPath = "\(self.folder)/a.key"
    }

    deinit { try? FileManager.default.removeItem(atPath: self.folder) }

    private func make(_ name: String, names: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "30", "-subj", "/CN=Test", "-addext", "subjectAltName=\(names)",
            "-keyout", "\(self.folder)/\(name).key", "-out", "\(self.folder)/\(name).pem",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    private func review(inDays days: Double = 0) -> CertificateReview {
        let now = Int64(Date().timeIntervalSince1970 + days * 86_400)
        return CertificateReview(self.configuration, now: now)
    }

    @Test func nothingIsWrong() {
        #expect(self.review().errors == [])
        #expect(self.review().warnings == [])
        #expect(self.review(inDays: 15.5).warnings == [])
        self.configuration.hostname = "any.wild.test"
        #expect(self.review().warnings == [])
        self.configuration.tls = Configuration.TLS()
        #expect(self.review().errors == [] && self.review().warnings == [])
    }

    @Test func endsAreToldInTime() throws {
        let soon = self.review(inDays: 17).warnings
        #expect(soon.count == 1)
        #expect(soon.first?.contains("a.pem expires on 20") ?? false)
        let late = self.review(inDays: 31).warnings
        #expect(late.count == 1)
        #expect(late.first?.contains("a.pem has expired on 20") ?? false)
        let early = self.review(inDays: -2).warnings
        #expect(early.count == 1)
        #expect(early.first?.contains("a.pem is not valid before 20") ?? false)
        #expect(self.review(inDays: 31).errors == [])
    }

    @Test func namesAreCompared() {
        self.configuration.hostname = "other.example.test"
        #expect(
            self.review().warnings == [
                "tls.certificate: no certificate is for the hostname other.example.test"
            ]
        )
    }

    @Test func pairsMustFit() throws {
        try self.make("b", names: "DNS:b.test")
        self.configuration.tls.privateKeyPath = "\(self.folder)/b.key"
        #expect(
            self.review().errors == [
                "tls.private-key: \(self.folder)/b.key is not the key of \(self.folder)/a.pem"
            ]
        )
    }

    @Test func whatCannotBeReadIsNamed() throws {
        self.configuration.user = "martlet"
        self.configuration.tls.additional = [
            .init(chainPath: "\(self.folder)/none.pem", keyPath: "\(self.folder)/a.key")
        ]
        self.configuration.auth.tokenIssuers = [
            .init(issuer: "i", audience: "a", keysPath: "\(self.folder)/keys.json")
        ]
        let errors = self.review().errors
        #expect(errors.count == 2)
        #expect(errors.first?.hasPrefix("tls.additional[0]: \(self.folder)/none.pem: ") ?? false)
        #expect(errors.first?.hasSuffix("readable by the user martlet") ?? false)
        #expect(errors.last?.hasPrefix("auth.token-issuer[0].keys: ") ?? false)
        try Data("nothing".utf8).write(to: URL(fileURLWithPath: "\(self.folder)/a.pem"))
        #expect(self.review().errors.first?.contains("a.pem: ") ?? false)
    }
}
