// SPDX-License-Identifier: Apache-2.0
//
// Passwords of relays, as the server reads them at its start and `check` before it.

import Configuration
import Foundation
import Testing

@testable import Server

@Suite("Passwords of relays")
final class RelayPasswordTests {
    private let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("martlet-\(UUID().uuidString)").path

    init() throws {
        try FileManager.default.createDirectory(
            atPath: self.folder,
            withIntermediateDirectories: true
        )
    }

    deinit { try? FileManager.default.removeItem(atPath: self.folder) }

    private func relay(_ file: String) -> Configuration.Relay {
        Configuration.Relay(
            transport: .smtp,
            host: .name("relay.example", port: 587),
            credentials: .init(login: "me", passwordPath: "\(self.folder)/\(file)")
        )
    }

    @Test func eachIsReadOrComplainedAbout() throws {
        var configuration = Configuration()
        configuration.routes = [
            .init(pattern: .any, target: .mx),
            .init(pattern: .domain("a.example"), target: .relay(self.relay("good"))),
            .init(pattern: .domain("b.example"), target: .relay(self.relay("none"))),
        ]
        configuration.delivery.fallbackRelay = self.relay("open")
        for (file, mode) in [("good", 0o600), ("open", 0o644)] {
            let path = "\(self.folder)/\(file)"
            try Data("secret\n".utf8).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        }
        let (passwords, errors) = configuration.relayPasswords()
        #expect(passwords == ["\(self.folder)/good": Array("secret".utf8)])
        #expect(
            errors == [
                "route[2].password-file: \(self.folder)/none cannot be read (errno 2); it must be "
                    + "there and readable by the server",
                "delivery.fallback-password-file: \(self.folder)/open is open to others than its "
                    + "owner and group; chmod 600 closes it",
            ]
        )
    }
}
