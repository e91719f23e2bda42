// SPDX-License-Identifier: Apache-2.0
//
// A server that can face the internet: TLS in both ways, submission, every mechanism, tokens.

import Foundation
import Testing

/// A server under test with listeners that want TLS for passwords, and what its clients need.
final class SecureServer {
    static let user = "anna@example.test"
    static let password = ServerProcess.password
    /// Every mechanism, in the order in which they are announced.
    static let mechanisms = [
        "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "EXTERNAL", "OAUTHBEARER", "XOAUTH2",
        "CRAM-MD5", "PLAIN", "LOGIN",
    ]

    /// Limits for a test that fails to log in often.
    static let patientWithFailures = """
        login-failure-milliseconds = 10
        login-failures-per-client = 1000
        login-failures-per-account = 1000
        """

    let identity: TLSIdentity
    let issuer: TokenIssuer
    let server: ServerProcess
    /// Submission with STARTTLS.
    let submissionPort = Port.next()
    /// Submission with TLS from the first octet.
    let submissionsPort = Port.next()
    /// POP3 with STLS.
    let pop3Port = Port.next()
    /// POP3 with TLS from the first octet.
    let pop3sPort = Port.next()

    /// Starts a server with one account, which also holds its password.
    init(
        _ algorithm: TokenIssuer.Algorithm = .es256,
        mechanisms: [String] = mechanisms,
        limits: String = ""
    ) throws {
        self.identity = try TLSIdentity(client: Self.user)
        self.issuer = try TokenIssuer(algorithm)
        var settings = ServerProcess.Settings()
        settings.accounts = []
        settings.limits = limits
        settings.tables =
            Self.listener("submission", self.submissionPort, "starttls")
            + Self.listener("submission", self.submissionsPort, "implicit")
            + Self.listener("pop3", self.pop3Port, "starttls")
            + Self.listener("pop3", self.pop3sPort, "implicit")
                + """
                [tls]
                certificate = "\(self.identity.certificate)"
                private-key = "\(self.identity.key)"
                client-authorities = "\(self.identity.clientAuthority)"

                [auth]
                mechanisms = [\(mechanisms.map { "\"\($0)\"" }.joined(separator: ", "))]

                \(self.issuer.configuration)
                [pop3]
                offer-apop = true

                """
        self.server = try ServerProcess(settings)
        let made = try self.server.martlet(
            "user",
            "add",
            Self.user,
            "--apop",
            "--password-stdin",
            input: "\(Self.password)\n"
        )
        try #require(made.exitCode == 0, "\(made)")
    }

    private static func listener(_ service: String, _ port: Int, _ tls: String) -> String {
        """
        [[listener]]
        service = "\(service)"
        address = "127.0.0.1:\(port)"
        tls = "\(tls)"


        """
    }

    /// A message that its author may submit, complete, so that nothing is added to it.
    static func message(_ number: Int) -> Message {
        Message(
            """
            From: Anna <\(self.user)>
            To: <\(self.user)>
            Date: Tue, 24 Nov 2026 12:00:00 +0000
            Message-ID: <\(number).client@example.test>
            Subject: message \(number)

            The text of message \(number).
            .
            ..two dots

            """
        )
    }

    /// The messages that the account has got, without what delivery added.
    func delivered(at location: SourceLocation = #_sourceLocation) throws -> [Message] {
        try self.server.maildrop(of: Self.user, at: location).map {
            try #require($0.content.withoutTrace, "\($0.content.text)", sourceLocation: location)
        }
    }

    /// The newest Received field of the newest message.
    func newestTrace() throws -> String {
        let text = try #require(try self.server.maildrop(of: Self.user).last?.content.text)
        let lines = text.components(separatedBy: "\r\n")
        let start = try #require(lines.firstIndex { $0.hasPrefix("Received: ") })
        return ([lines[start]] + lines[(start + 1)...].prefix { $0.hasPrefix("\t") })
            .joined(separator: " ")
    }

    /// Puts a message into the maildrop, so that there is something to fetch.
    func deliver(_ message: Message) throws {
        try self.server.smtp().submit(message, to: Self.user)
    }
}

/// In which way a client gets to TLS.
enum TLSWay: CaseIterable {
    case upgraded
    case implicit

    func submission(of server: SecureServer) -> Int {
        switch self {
        case .upgraded: server.submissionPort
        case .implicit: server.submissionsPort
        }
    }

    func pop3(of server: SecureServer) -> Int {
        switch self {
        case .upgraded: server.pop3Port
        case .implicit: server.pop3sPort
        }
    }
}
