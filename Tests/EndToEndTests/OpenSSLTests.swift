// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// `openssl s_client`: versions, resumption, renegotiation, ALPN, certificates.
    @Suite struct OpenSSLTests {
        @Test("TLS 1.2 and 1.3 are spoken, TLS 1.1 is not")
        func versions() throws {
            let server = try SecureServer()
            for way in TLSWay.allCases {
                for (option, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
                    let outcome = try self.connect(server, way, [option])
                    #expect(
                        outcome.text.contains("Protocol  : \(version)")
                            || outcome.text.contains("New, \(version)"),
                        "\(outcome)"
                    )
                    #expect(outcome.text.contains("+OK POP3 server signing off"), "\(outcome)")
                }
                let old = try self.connect(
                    server,
                    way,
                    ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]
                )
                #expect(old.exitCode != 0, "\(old)")
                #expect(!old.text.contains("+OK POP3 server signing off"), "\(old)")
            }
        }

        @Test("sessions are resumed, over a restart too", arguments: ["-tls1_2", "-tls1_3"])
        func resumes(version: String) throws {
            let server = try SecureServer()
            let session = server.server.scratch.path + "/session"
            let first = try self.connect(server, .implicit, [version, "-sess_out", session])
            #expect(first.text.contains("New, "), "\(first)")
            let second = try self.connect(server, .implicit, [version, "-sess_in", session])
            #expect(second.text.contains("Reused, "), "\(second)")
            try #require(server.server.terminate() == 0)
            try server.server.start()
            let third = try self.connect(server, .upgraded, [version, "-sess_in", session])
            #expect(third.text.contains("Reused, "), "\(third)")
        }

        @Test("a client that renegotiates gets nowhere")
        func renegotiation() throws {
            let server = try SecureServer()
            // s_client takes a line "R" for itself.
            let outcome = try self.converse(
                self.options(server, .implicit) + ["-tls1_2"],
                "R\nNOOP\nQUIT\n"
            )
            #expect(
                outcome.text.contains("RENEGOTIATING")
                    || outcome.errorText.contains("RENEGOTIATING"),
                "\(outcome)"
            )
            #expect(outcome.errorText.contains("no renegotiation"), "\(outcome)")
            #expect(server.server.isRunning)
        }

        @Test("the right protocol is agreed on by ALPN, a wrong one is refused")
        func applicationProtocols() throws {
            let server = try SecureServer()
            let right = try self.connect(server, .implicit, ["-alpn", "pop3"])
            #expect(right.text.contains("ALPN protocol: pop3"), "\(right)")
            let wrong = try self.connect(server, .implicit, ["-alpn", "http/1.1"])
            #expect(wrong.exitCode != 0, "\(wrong)")
            #expect(wrong.errorText.contains("no application protocol"), "\(wrong)")
        }

        @Test("a renewed certificate is shown to new clients, old sessions go on")
        func renewedCertificate() throws {
            let server = try SecureServer()
            let old = try String(contentsOfFile: server.identity.certificate, encoding: .utf8)
            let session = try server.server.pop3(SecureServer.user)
            try server.identity.renewServer()
            server.server.signal(SIGHUP)
            let new = try String(contentsOfFile: server.identity.certificate, encoding: .utf8)
            try #require(new != old)
            // What s_client trusts is the new file, so it succeeds as soon as that is shown.
            let deadline = Date(timeIntervalSinceNow: 20)
            var outcome = try self.connect(server, .implicit, [])
            while outcome.exitCode != 0, Date() < deadline {
                Thread.sleep(forTimeInterval: 0.1)
                outcome = try self.connect(server, .implicit, [])
            }
            #expect(outcome.exitCode == 0, "\(outcome)")
            #expect(try session.stat().count == 0)
            try session.ask("QUIT")
        }

        @Test("a password is not taken before TLS, and STLS is gone after it")
        func capabilities() throws {
            let server = try SecureServer()
            let clear = try Connection(port: server.pop3Port)
            try clear.expectOK()
            let before = try clear.askLines("CAPA")
            #expect(before.contains("STLS") && !before.contains("USER"), "\(before)")
            #expect(before.contains("SASL SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5"), "\(before)")
            let refusal = try clear.askInVain("USER \(SecureServer.user)")
            #expect(refusal.hasPrefix("[AUTH]"))
            let after = try self.connect(server, .upgraded, [], saying: "CAPA\nQUIT\n")
            #expect(after.text.contains("\nUSER\r\n"), "\(after)")
            #expect(!after.text.contains("\nSTLS\r\n"), "\(after)")
            #expect(
                after.text.contains(
                    "SASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1 OAUTHBEARER XOAUTH2 "
                        + "CRAM-MD5 PLAIN LOGIN\r\n"
                ),
                "\(after)"
            )
        }

        /// Runs a POP3 session under TLS; the certificate is verified.
        private func connect(
            _ server: SecureServer,
            _ way: TLSWay,
            _ options: [String],
            saying lines: String = "QUIT\n"
        ) throws -> CommandOutcome {
            try self.converse(self.options(server, way) + ["-ign_eof"] + options, lines)
        }

        /// Says `lines` once the server has greeted, as a client must.
        ///
        /// A shell waits for the greeting in what s_client has written; after STLS there is none.
        private func converse(_ options: [String], _ lines: String) throws -> CommandOutcome {
            let scratch = try ScratchDirectory()
            let output = scratch.path + "/output"
            let said = try scratch.file("lines", holding: Data(lines.utf8))
            let greeting = options.contains("-starttls") ? "---" : "+OK"
            let script = """
                : >"$0"
                { for _ in $(seq 200); do
                    grep -q '^\(greeting)\\|^New, (NONE)' "$0" && break
                    sleep 0.05
                done; cat "$1"; } | { shift; openssl "$@" >"$0"; }
                status=$?
                cat "$0"
                exit $status
                """
            return try Command.run("sh", ["-c", script, output, said.path] + options)
        }

        private func options(_ server: SecureServer, _ way: TLSWay) -> [String] {
            [
                "s_client", "-connect", "127.0.0.1:\(way.pop3(of: server))", "-crlf", "-CAfile",
                server.identity.certificate, "-verify_return_error", "-verify_hostname",
                "localhost",
            ] + (way == .upgraded ? ["-starttls", "pop3"] : [])
        }
    }
}
