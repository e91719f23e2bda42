// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// A file system of a few megabytes that fills up.
    @Suite(.enabled(if: SmallDisk.isPossible, "mounting a small tmpfs needs root"))
    struct FullDiskTests {
        private static let message = Message(seed: 60, octets: 1 << 20)

        @Test(
            "A full disk refuses mail with 452 4.3.1, keeps what it has, and recovers by deletion"
        )
        func fillsUp() throws {
            let disk = try SmallDisk(mebibytes: 96)
            let server = try ServerProcess(Self.settings(on: disk))
            let accepted = try self.fill(server)
            #expect(accepted > 5)

            // Refused alike when sent in chunks, and at MAIL when the size is declared.
            let connection = try server.smtp()
            try connection.send("MAIL FROM:<a@example.org> SIZE=1000000\r\n")
            if try connection.reply().code == 250 {
                try connection.exchange("RCPT TO:<anna@example.test>", 250)
                try connection.send(
                    Array("BDAT \(Self.message.octets.count) LAST\r\n".utf8) + Self.message.octets
                )
                let reply = try connection.expect(452)
                #expect(reply.lines[0].hasPrefix("452 4.3.1"), "\(reply)")
            }

            let messages = try server.maildrop()
            #expect(
                messages.count == accepted,
                "what was refused is there, or what was accepted is not"
            )
            #expect(messages.allSatisfy { $0.content.withoutTrace == Self.message })

            try self.deleteEverything(server, count: accepted)
            try self.waitForRoom(server)
            let again = try self.fill(server)
            #expect(again >= accepted / 2, "\(accepted) at first, \(again) after the deletions")
        }

        @Test("Room that others take makes mail wait, and nothing else fails")
        func filledByOthers() throws {
            let disk = try SmallDisk(mebibytes: 48)
            let server = try ServerProcess(Self.settings(on: disk))
            try server.smtp().submit(Self.message, to: "anna@example.test")
            let ballast = disk.path + "/ballast"
            _ = try Command.run("dd", ["if=/dev/zero", "of=\(ballast)", "bs=64k"])

            let reply = try server.smtp().submit(
                Self.message,
                to: "anna@example.test",
                expecting: 452
            )
            #expect(reply.lines[0].hasPrefix("452 4.3.1"), "\(reply)")
            #expect(try server.maildrop().map(\.content.withoutTrace) == [Self.message])

            try FileManager.default.removeItem(atPath: ballast)
            try server.smtp().submit(Self.message, to: "anna@example.test")
            #expect(try server.maildrop().count == 2)
            server.killAtOnce()
            try server.start()
            #expect(try server.maildrop().count == 2)
        }

        private static func settings(on disk: SmallDisk) -> ServerProcess.Settings {
            var settings = ServerProcess.Settings()
            settings.dataDirectory = disk.path + "/data"
            return settings
        }

        /// Sends messages until one is refused for want of room; answers how many were accepted.
        private func fill(_ server: ServerProcess) throws -> Int {
            let connection = try server.smtp()
            for count in 0..<200 {
                try connection.exchange("MAIL FROM:<writer@example.org>", 250)
                try connection.exchange("RCPT TO:<anna@example.test>", 250)
                try connection.exchange("DATA", 354)
                try connection.send(Self.message.dotStuffed)
                let reply = try connection.reply()
                if reply.code == 250 { continue }
                #expect(reply.lines[0].hasPrefix("452 4.3.1"), "\(reply)")
                return count
            }
            throw ConnectionFailure(description: "the disk does not fill up")
        }

        /// What was deleted is removed a portion at a time, after the answers.
        private func waitForRoom(_ server: ServerProcess) throws {
            let deadline = Date(timeIntervalSinceNow: 10)
            let connection = try server.smtp()
            while true {
                try connection.exchange("MAIL FROM:<writer@example.org>", 250)
                try connection.exchange("RCPT TO:<anna@example.test>", 250)
                try connection.exchange("DATA", 354)
                try connection.send(Self.message.dotStuffed)
                if try connection.reply().code == 250 { return }
                try #require(Date() < deadline, "no room after the deletions")
                Thread.sleep(forTimeInterval: 0.1)
            }
        }

        private func deleteEverything(_ server: ServerProcess, count: Int) throws {
            let connection = try server.pop3()
            for number in 1...count { try connection.ask("DELE \(number)") }
            try connection.ask("QUIT")
            #expect(try server.pop3().stat().count == 0)
        }
    }
}

/// A tmpfs of its own; unmounted with its owner.
private final class SmallDisk {
    private let mountPoint: ScratchDirectory

    var path: String { self.mountPoint.path }

    static let isPossible: Bool = (try? SmallDisk(mebibytes: 1)) != nil

    init(mebibytes: Int) throws {
        self.mountPoint = try ScratchDirectory()
        let outcome = try Command.run(
            "mount",
            ["-t", "tmpfs", "-o", "size=\(mebibytes)m", "tmpfs", self.mountPoint.path]
        )
        guard outcome.exitCode == 0 else { throw CommandFailure(description: "\(outcome)") }
    }

    deinit {
        // Lazily: the server that used it may still be ending.
        _ = try? Command.run("umount", ["-l", self.mountPoint.path])
    }
}
