// SPDX-License-Identifier: Apache-2.0
//
// What one listener offers: the protocol and the settings its sessions share.

package import POP3Protocol
package import SMTPProtocol

/// The service behind a listener.
package final class ServiceProfile {
    /// Which driver serves the connections.
    package enum Service: Sendable {
        case smtp
        case lmtp
        case pop3
    }

    package let service: Service
    let smtp: SMTPServerSettings
    let pop3: POP3ServerSettings

    package init(service: Service, smtp: SMTPServerSettings, pop3: POP3ServerSettings) {
        self.service = service
        self.smtp = smtp
        self.pop3 = pop3
    }

    var isLMTP: Bool { self.service == .lmtp }

    /// The service in log lines.
    var name: StaticString {
        switch self.service {
        case .smtp: "smtp"
        case .lmtp: "lmtp"
        case .pop3: "pop3"
        }
    }

    /// Why a connection is not served; told in the log by the limit that was reached.
    enum Refusal: String {
        case connections = "limits.connections"
        case connectionsPerClient = "limits.connections-per-client"
        case stopping
    }

    /// What a connection hears that cannot be served now.
    func refusal(_ why: Refusal) -> StaticString {
        switch (self.service, why) {
        case (.smtp, .stopping), (.lmtp, .stopping): "421 4.3.2 Shutting down\r\n"
        case (.pop3, .stopping): "-ERR [SYS/TEMP] server is shutting down\r\n"
        case (.smtp, _), (.lmtp, _): "421 4.3.2 Too many connections, try again later\r\n"
        case (.pop3, _): "-ERR [SYS/TEMP] Too many connections, try again later\r\n"
        }
    }
}
