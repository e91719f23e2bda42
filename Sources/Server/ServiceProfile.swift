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

    /// What a connection hears that cannot be served now.
    var refusal: StaticString {
        switch self.service {
        case .smtp, .lmtp: "421 4.3.2 Too many connections, try again later\r\n"
        case .pop3: "-ERR [SYS/TEMP] Too many connections, try again later\r\n"
        }
    }
}
