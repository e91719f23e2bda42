// SPDX-License-Identifier: Apache-2.0
//
// The configuration as one value: what the file says, checked, with defaults filled in.

package import MailSyntax

/// Everything an operator can decide.
package struct Configuration: Sendable {
    /// The file it was read from.
    package var path = ""
    /// The name in greetings, replies and Received fields.
    package var hostname = ""
    /// Absolute, or relative to the working directory.
    package var dataDirectory = ""
    /// The domains whose mail is delivered here, in lower case; never empty.
    package var localDomains: [String] = []
    /// Where mail for postmaster goes; `postmaster@` the first local domain unless configured.
    package var postmaster: Address?
    /// Takes mail for unknown local-parts.
    package var catchAll: Address?
    /// The octet between a mailbox and its detail; nil: none.
    package var subaddressDelimiter: UInt8? = UInt8(ascii: "+")
    /// Whether passwords may come without TLS on addresses that are not loopback.
    package var allowsPlaintextAuthAnywhere = false
    /// The domains whose mail is taken from anybody and passed on.
    package var relayDomains: [DomainPattern] = []
    /// The networks whose clients may send to any domain without a login.
    package var relayNetworks: [NetworkPrefix] = []
    /// Whether such networks may be so wide that they hold most of the internet.
    package var allowsOpenRelay = false
    /// The networks whose PROXY headers are believed.
    package var trustedProxies: [NetworkPrefix] = []
    /// Whom a server that was started by root becomes once its ports are open; nil: it stays root.
    package var user: String?
    package var confinement = Confinement.auto
    package var listeners: [Listener] = []
    package var tls = TLS()
    package var auth = Auth()
    package var submission = Submission()
    package var smtp = SMTP()
    package var pop3 = POP3()
    package var delivery = Delivery()
    package var routes: [Route] = []
    package var store = Store()
    package var log = Log()
    package var limits = Limits()

    package init() {}

    /// Whether the process gives up what it does not need of the system.
    package enum Confinement: String, Sendable, CaseIterable {
        /// As far as the kernel offers it.
        case auto
        case off
    }

    /// What SMTP and LMTP sessions do that the operator may choose.
    package struct SMTP: Sendable {
        /// Whether bare CR and LF become CRLF instead of being refused.
        package var normalisesBareNewlines = false
        /// Whether VRFY tells which mailboxes exist.
        package var answersVRFY = false
        /// Whether EXPN lists the members of aliases.
        package var answersEXPN = false
        /// Whether ETRN (RFC 1985) is offered to those who fetch mail by it.
        package var offersETRN = false
        /// Whether SOML and SAML (RFC 821, section 3.4) are taken as MAIL.
        package var acceptsSOML = false
        package init() {}
    }

    /// What POP3 sessions do that the operator may choose.
    package struct POP3: Sendable {
        /// How long mail may stay, as EXPIRE announces it (RFC 2449, 6.7); nil: EXPIRE NEVER.
        package var expireDays: Int?
        /// The least time between two logins, as LOGIN-DELAY announces it; nil: not announced.
        package var loginDelaySeconds: Int?
        /// A language tag: en, de or fr.
        package var language = "en"
        /// Whether the greeting carries a timestamp, for accounts with a recoverable secret.
        package var offersAPOP = false
        package init() {}
    }

    /// How mail is kept.
    package struct Store: Sendable {
        /// Room on the disk that new mail does not get.
        package var reserveOctets = 16 << 20
        package init() {}
    }

    /// What is logged, and how.
    package struct Log: Sendable {
        package enum Level: String, Sendable, CaseIterable {
            case debug, info, notice, warning, error
        }
        package enum Format: String, Sendable, CaseIterable {
            /// Text on a terminal, else JSON.
            case auto
            case text
            case json
        }

        package var level = Level.info
        package var format = Format.auto
        package init() {}
    }
}
