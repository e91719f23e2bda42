// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Credentials

@Suite("Passwords in files")
final class PasswordFileTests {
    private let path = FileManager.default.temporaryDirectory
        .appendingPathComponent("martlet-\(UUID().uuidString)").path

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    private func write(_ octets: [UInt8], mode: Int = 0o600) throws {
        try Data(octets).write(to: URL(fileURLWithPath: self.path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: self.path)
    }

    private func password(_ text: String) throws -> String {
        try self.write(Array(text.utf8))
        return String(decoding: try PasswordFile.read(self.path), as: UTF8.self)
    }

    @Test func theFirstLineIsThePassword() throws {
        #expect(try self.password("secret") == "secret")
        #expect(try self.password("secret\n") == "secret")
        #expect(try self.password("secret\r\nmore\n") == "secret")
        #expect(try self.password(" a b \n") == " a b ")
        let longest = String(repeating: "x", count: PasswordFile.octetsMax)
        #expect(try self.password(longest + "\n") == longest)
    }

    @Test(arguments: [
        "", "\n", "\r\nsecret", "a\0b", String(repeating: "x", count: PasswordFile.octetsMax + 1),
    ])
    func whatIsNoPassword(text: String) throws {
        try self.write(Array(text.utf8))
        #expect(throws: PasswordFile.Failure.malformed) { try PasswordFile.read(self.path) }
    }

    @Test(arguments: [0o604, 0o602, 0o620, 0o660, 0o644])
    func nobodyElseMayReadIt(mode: Int) throws {
        try self.write(Array("secret".utf8), mode: mode)
        #expect(throws: PasswordFile.Failure.openToOthers) { try PasswordFile.read(self.path) }
    }

    @Test func theGroupOfTheServerMay() throws {
        try self.write(Array("secret".utf8), mode: 0o640)
        #expect(try PasswordFile.read(self.path) == Array("secret".utf8))
    }

    @Test func whatCannotBeReadIsTold() {
        #expect(throws: PasswordFile.Failure.unreadable(ENOENT)) {
            try PasswordFile.read("\(self.path)/none")
        }
        #expect(throws: PasswordFile.Failure.malformed) { try PasswordFile.read("/dev/null") }
    }
}
