// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Privileges

@Suite struct OwnDirectoryTests {
    private let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("martlet-\(UUID().uuidString)").path

    private func status(_ path: String) throws -> (owner: UInt32, mode: UInt32) {
        var status = stat()
        try #require(unsafe lstat(path, &status) == 0)
        return (status.st_uid, status.st_mode & 0o7777)
    }

    @Test func aMissingDirectoryIsMadeForTheOwnerAlone() throws {
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        try OwnDirectory.prepare(self.folder, for: nil)
        let made = try self.status(self.folder)
        #expect(made.owner == geteuid() && made.mode == 0o700)
        // A second time changes nothing.
        try OwnDirectory.prepare(self.folder, for: nil)
        #expect(throws: PrivilegeError.self) {
            try OwnDirectory.prepare("\(self.folder)/none/below", for: nil)
        }
    }

    @Test(.enabled("only root can give files away") { geteuid() == 0 })
    func whatRootMadeGoesToTheUser() throws {
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        let user = try #require(try ServiceUser(named: "nobody"))
        try OwnDirectory.prepare(self.folder, for: nil)
        try Data().write(to: URL(fileURLWithPath: "\(self.folder)/mail.sqlite"))
        try FileManager.default.createSymbolicLink(
            atPath: "\(self.folder)/link",
            withDestinationPath: "/etc/passwd"
        )
        try OwnDirectory.prepare(self.folder, for: user)
        for name in ["", "/mail.sqlite", "/link"] {
            #expect(try self.status(self.folder + name).owner == user.id, "\(name)")
        }
        #expect(try self.status("/etc/passwd").owner == 0)
    }

    @Test(.enabled("only root can give files away") { geteuid() == 0 })
    func whatOthersCouldHaveMadeIsNotGiven() throws {
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        let user = try #require(try ServiceUser(named: "nobody"))
        try OwnDirectory.prepare(self.folder, for: nil)
        unsafe chmod(self.folder, 0o777)
        #expect(throws: PrivilegeError.self) { try OwnDirectory.prepare(self.folder, for: user) }
        unsafe chmod(self.folder, 0o700)
        let other = try #require(try ServiceUser(named: "daemon"))
        try OwnDirectory.prepare(self.folder, for: other)
        #expect(throws: PrivilegeError.self) { try OwnDirectory.prepare(self.folder, for: user) }
    }

    @Test func usersAreLookedUp() throws {
        let root = try #require(try ServiceUser(named: "root"))
        #expect(root.id == 0 && root.group == 0)
        #expect(try ServiceUser(named: "no-such-user-here") == nil)
    }

    @Test func filesAreKnownByTheirStamps() throws {
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        try OwnDirectory.prepare(self.folder, for: nil)
        let path = "\(self.folder)/server.pem"
        #expect(FileStamp(of: path) == nil)
        try Data("one".utf8).write(to: URL(fileURLWithPath: path))
        let first = try #require(FileStamp(of: path))
        #expect(FileStamp(of: path) == first)
        // Written anew under the same name, with the same length.
        try Data("two".utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        #expect(FileStamp(of: path) != first)
    }

    @Test func linkedFilesAreRenewedInBothDirectories() throws {
        defer { try? FileManager.default.removeItem(atPath: self.folder) }
        try OwnDirectory.prepare(self.folder, for: nil)
        let (live, archive) = ("\(self.folder)/live", "\(self.folder)/archive")
        try OwnDirectory.prepare(live, for: nil)
        try OwnDirectory.prepare(archive, for: nil)
        try Data("x".utf8).write(to: URL(fileURLWithPath: "\(archive)/chain1.pem"))
        try FileManager.default.createSymbolicLink(
            atPath: "\(live)/chain.pem",
            withDestinationPath: "../archive/chain1.pem"
        )
        let directories = FilePlace.directories(of: "\(live)/chain.pem")
        #expect(directories.first == live && directories.count == 2)
        #expect(directories.last?.hasSuffix("/archive") ?? false)
        #expect(FilePlace.directories(of: "none.pem") == ["."])
    }
}
