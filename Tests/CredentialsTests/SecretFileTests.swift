// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Credentials

@Suite("The secret in a file")
struct SecretFileTests {
    private let directory = FileManager.default.temporaryDirectory
        .appendingPathComponent("secret-\(UUID().uuidString)")

    init() throws {
        try FileManager.default.createDirectory(
            at: self.directory,
            withIntermediateDirectories: true
        )
    }

    @Test("It is made once, for its owner alone, and stays the same")
    func same() throws {
        defer { try? FileManager.default.removeItem(at: self.directory) }
        let path = self.directory.appendingPathComponent("login-secret").path
        let secret = try SecretFile.read(path)
        #expect(secret.count == 32)
        #expect(try SecretFile.read(path) == secret)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
        #expect(mode as? Int == 0o600)
        let other = try SecretFile.read(self.directory.appendingPathComponent("other").path)
        #expect(other != secret)
        #expect(try FileManager.default.contentsOfDirectory(atPath: self.directory.path).count == 2)
    }

    @Test("What is cut short is made anew; what cannot be made is said so")
    func damaged() throws {
        defer { try? FileManager.default.removeItem(at: self.directory) }
        let path = self.directory.appendingPathComponent("login-secret").path
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path))
        let secret = try SecretFile.read(path)
        #expect(secret.count == 32)
        #expect(try SecretFile.read(path) == secret)
        #expect(throws: SecretFile.Failure(code: ENOENT)) {
            try SecretFile.read("\(self.directory.path)/none/secret")
        }
    }
}
