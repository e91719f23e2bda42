// SPDX-License-Identifier: Apache-2.0
//
// What one listener offers: the protocol, TLS, and the settings its sessions share.

package import EventLoop
package import MailBytes
package import POP3Protocol
package import SMTPProtocol

/// The service behind a listener.
package final class ServiceProfile {
    /// Which driver serves the connections.
    package enum Service: Sendable {
        case smtp
        case submission
        case lmtp
        case pop3
        /// RFC 2645.
        case odmr
    }

    package let service: Service
    let smtp: SMTPServerSettings
    let pop3: POP3ServerSettings
    /// Certificates and rules of TLS, replaced when they are read again; nil: there is no TLS.
    package var tls: TLSService?
    /// Whether TLS is spoken from the first octet (RFC 8314).
    let isTLSImplicit: Bool
    /// Whether each connection begins with the header of a trusted proxy.
    let expectsPROXYHeader: Bool
    /// Whether SCRAM is offered although some accounts cannot use it.
    let alwaysOffersSCRAM: Bool
    /// Whether senders must be addresses of who has logged in.
    let checksSender: Bool
    /// The peers that may say by XCLIENT for whom they speak.
    let mayXCLIENT: (NetworkAddress) -> Bool

    package init(
        service: Service,
        smtp: SMTPServerSettings,
        pop3: POP3ServerSettings,
        tls: TLSService? = nil,
        isTLSImplicit: Bool = false,
        expectsPROXYHeader: Bool = false,
        alwaysOffersSCRAM: Bool = false,
        checksSender: Bool = true,
        mayXCLIENT: @escaping (NetworkAddress) -> Bool = { _ in false }
    ) {
        self.service = service
        self.smtp = smtp
        self.pop3 = pop3
        self.tls = tls
        self.isTLSImplicit = isTLSImplicit
        self.expectsPROXYHeader = expectsPROXYHeader
        self.alwaysOffersSCRAM = alwaysOffersSCRAM
        self.checksSender = checksSender
        self.mayXCLIENT = mayXCLIENT
    }

    var isLMTP: Bool { self.service == .lmtp }

    /// Whether nothing can be done there without a login.
    var needsLogin: Bool {
        switch self.service {
        case .submission, .pop3, .odmr: true
        case .smtp, .lmtp: false
        }
    }

    /// The service in log lines.
    var name: StaticString {
        switch self.service {
        case .smtp: "smtp"
        case .submission: "submission"
        case .lmtp: "lmtp"
        case .pop3: "pop3"
        case .odmr: "odmr"
        }
    }

    /// Why a connection is not served; told in the log by the limit that was reached.
    enum Refusal: String {
        case connections = "limits.connections"
        case connectionsPerClient = "limits.connections-per-client"
        case connectionRate = "limits.connections-per-client-minute"
        case banned = "limits.login-failures-per-client"
        case stopping
    }

    /// What a connection hears that cannot be served now.
    func refusal(_ why: Refusal) -> StaticString {
        switch (self.service, why) {
        case (.smtp, .stopping), (.submission, .stopping), (.lmtp, .stopping), (.odmr, .stopping):
            "421 4.3.2 Shutting down\r\n"
        case (.pop3, .stopping):
            "-ERR [SYS/TEMP] server is shutting down\r\n"
        case (.smtp, .banned), (.submission, .banned), (.lmtp, .banned), (.odmr, .banned):
            "421 4.7.0 Too many failed logins, try again later\r\n"
        case (.pop3, .banned):
            "-ERR [SYS/TEMP] Too many failed logins, try again later\r\n"
        case (.smtp, _), (.submission, _), (.lmtp, _), (.odmr, _):
            "421 4.3.2 Too many connections, try again later\r\n"
        case (.pop3, _):
            "-ERR [SYS/TEMP] Too many connections, try again later\r\n"
        }
    }
}
