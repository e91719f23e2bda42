// SPDX-License-Identifier: Apache-2.0
//
// The configuration as one value: what the file says, checked, with defaults filled in.

package import MailBytes
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
    package var listeners: [Listener] = []
    package var smtp = SMTP()
    package var pop3 = POP3()
    package var store = Store()
    package var log = Log()
    package var limits = Limits()

    package init() {}

    /// One listening socket.
    package struct Listener: Sendable {
        package enum Service: String, Sendable { case smtp, lmtp, pop3 }
        package enum Address: Sendable {
            case ip(NetworkAddress)
            case unix(path: String)
        }

        package var service: Service
        package var address: Address
        /// Whether passwords may come without TLS.
        package var permitsPlaintextAuth: Bool
    }

    package struct SMTP: Sendable {
        /// Whether bare CR and LF become CRLF instead of being refused.
        package var normalisesBareNewlines = false
        package var answersVRFY = false
        package var answersEXPN = false
        package var acceptsSOML = false
        package init() {}
    }

    package struct POP3: Sendable {
        /// nil: EXPIRE NEVER.
        package var expireDays: Int?
        package var loginDelaySeconds: Int?
        /// A language tag: en, de or fr.
        package var language = "en"
        package var offersAPOP = true
        package init() {}
    }

    package struct Store: Sendable {
        /// Room on the disk that new mail does not get.
        package var reserveOctets = 16 << 20
        package init() {}
    }

    package struct Log: Sendable {
        package enum Level: String, Sendable, CaseIterable { case debug, info, notice, warning, error }
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
