// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// fetchmail says STLS, or speaks TLS from the first octet.
    @Suite struct SecureFetchmailTests {
        @Test("fetchmail fetches under TLS", arguments: TLSWay.allCases)
        func fetches(way: TLSWay) throws {
            let server = try SecureServer()
            let message = SecureServer.message(1)
            try server.deliver(message)
            let home = try ScratchDirectory()
            let settings = """
                set invisible
                poll localhost protocol pop3 service \(way.pop3(of: server)) timeout 20
                    auth password
                    user "\(SecureServer.user)" password "\(SecureServer.password)" nokeep
                    no rewrite \(way == .implicit ? "ssl" : "") sslproto 'TLS1.2+'
                    sslcertfile "\(server.identity.certificate)" sslcertck
                    mda "cat >\(home.path)/mail"

                """
            let file = try home.file("fetchmailrc", holding: Data(settings.utf8))
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o600],
                ofItemAtPath: file.path
            )
            let outcome = try Command.succeed(
                "fetchmail",
                [
                    "-v", "--fetchmailrc", file.path, "--idfile", home.path + "/ids", "--pidfile",
                    home.path + "/pid", "--nosyslog",
                ],
                environment: ["HOME": home.path]
            )
            #expect(outcome.text.contains("STLS") == (way == .upgraded), "\(outcome)")
            #expect(outcome.text.contains("TLSv1.3"), "\(outcome)")
            let text = try String(contentsOfFile: home.path + "/mail", encoding: .utf8)
            #expect(Message(text).withoutTrace == message, "\(text)")
            #expect(try server.delivered().isEmpty)
        }
    }
}
