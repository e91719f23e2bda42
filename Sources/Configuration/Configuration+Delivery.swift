// SPDX-License-Identifier: Apache-2.0
//
// Mail on its way to other servers: what the operator may choose about it.

package import MailBytes
package import MailSyntax

extension Configuration {
    /// How mail is delivered to other servers, where no route says otherwise.
    package struct Delivery: Sendable {
        /// What TLS is demanded of the servers that mail goes to.
        package enum TLS: String, Sendable, CaseIterable {
            /// What DANE (RFC 7672) and MTA-STS (RFC 8461) demand for the domain; where neither
            /// says anything, TLS when it is offered.
            case daneAndSTS = "dane-and-sts"
            /// TLS when it is offered; DANE and MTA-STS are not asked.
            case opportunistic
            /// TLS always, whoever is at the other end.
            case encrypted
            /// TLS always, with a certificate of a known authority for the name of the server.
            case verified
        }

        /// The servers of the domain name system, each with its port; empty: the system's.
        package var resolvers: [NetworkAddress] = []
        /// The port of servers found by MX.
        package var smtpPort = 25
        /// The DNSSEC trust anchors; nil: the system's.
        package var trustAnchorsPath: String?
        /// Certificates of the authorities that servers are verified with, PEM; nil: the system's.
        package var authoritiesPath: String?
        package var tls = TLS.daneAndSTS
        /// The addresses connections come from: none, or one of each family; their port is 0.
        package var sourceAddresses: [NetworkAddress] = []
        /// The least and the most time between two attempts.
        package var retrySecondsMin = 300
        package var retrySecondsMax = 14_400
        /// Mail that could not be delivered for so long goes back.
        package var ageHoursMax = 120
        /// After so long the sender is told of the delay; 0: never.
        package var warnHours = 4
        /// Connections to other servers at a time.
        package var connections = 200
        /// Connections to the servers of one destination at a time.
        package var connectionsPerDestination = 20
        /// Messages of one connection.
        package var messagesPerConnection = 100
        /// Messages to one destination in a second; 0: any number.
        package var messagesPerDestinationSecond = 0
        /// A connection must be there within so many seconds.
        package var connectSeconds = 30
        /// Each reply must be there within so many; that to the end of the content, in twice that.
        package var replySeconds = 300
        /// Where mail goes that cannot be delivered straight; nil: nowhere.
        package var fallbackRelay: Relay?
        /// As they stand in the file; what they mean is in `fallbackRelay`.
        var fallbackLogin: String?
        var fallbackPasswordPath: String?
        package init() {}
    }

    /// One server that mail goes to by configuration, whatever the domain name system says.
    package struct Relay: Sendable, Hashable {
        package enum Transport: String, Sendable, CaseIterable {
            case smtp
            /// SMTP within TLS from the first octet.
            case smtps
            /// RFC 2033.
            case lmtp
        }

        package enum Host: Sendable, Hashable {
            /// A name in ASCII and lower case, whose addresses are looked up; its MX are not.
            case name(String, port: Int)
            case ip(NetworkAddress)
            /// Absolute, or relative to the working directory.
            case unix(path: String)
        }

        package var transport: Transport
        package var host: Host
        /// Who logs in there, and the file with the password; nil: nobody.
        package var credentials: RelayCredentials?
        /// nil: as for all others.
        package var tls: Delivery.TLS?

        package init(
            transport: Transport,
            host: Host,
            credentials: RelayCredentials? = nil,
            tls: Delivery.TLS? = nil
        ) {
            self.transport = transport
            self.host = host
            self.credentials = credentials
            self.tls = tls
        }
    }

    /// A login at a relay; the password is read from its file when the server starts.
    package struct RelayCredentials: Sendable, Hashable {
        package var login: String
        package var passwordPath: String

        package init(login: String, passwordPath: String) {
            self.login = login
            self.passwordPath = passwordPath
        }
    }

    /// Some domains, as the file writes them.
    package enum DomainPattern: Sendable, Hashable, CustomStringConvertible {
        /// A domain in its canonical form: lower case.
        case domain(String)
        /// `*.example.org`: all below the domain, not itself.
        case below(String)
        /// `*`: all.
        case any

        package var description: String {
            switch self {
            case .domain(let name): name
            case .below(let name): "*.\(name)"
            case .any: "*"
            }
        }

        /// Whether a domain in its canonical form is one of them.
        package func matches(_ domain: String) -> Bool { self.rank(for: domain) != nil }

        /// How exactly the pattern says what the domain is; nil: it is another.
        fileprivate func rank(for domain: String) -> Int? {
            switch self {
            case .domain(let name): name == domain ? .max : nil
            case .below(let name): domain.hasSuffix(".\(name)") ? name.utf8.count : nil
            case .any: 0
            }
        }
    }

    /// Where mail for some domains goes; no two routes have the same pattern.
    package struct Route: Sendable {
        package enum Target: Sendable, Hashable {
            /// By MX, as without a route.
            case mx
            case relay(Relay)
            /// Delivered to nobody.
            case discard
            /// Not delivered: reported back with this text.
            case refuse(text: String)
            /// Kept until somebody fetches it by ETRN (RFC 1985) or ATRN (RFC 2645).
            case onDemand
        }

        package var pattern: DomainPattern
        package var target: Target
        /// What is demanded of servers by MX; nil: as for all others.
        package var tls: Delivery.TLS?
        /// Who may fetch mail that is kept for that; empty otherwise.
        package var accounts: [Address] = []

        package init(pattern: DomainPattern, target: Target) {
            self.pattern = pattern
            self.target = target
        }
    }

    /// The route of a domain in its canonical form: the most exact one, or nil.
    package func route(of domain: String) -> Route? {
        var best: (route: Route, rank: Int)?
        for route in self.routes {
            guard let rank = route.pattern.rank(for: domain), rank > best?.rank ?? -1 else {
                continue
            }
            best = (route, rank)
        }
        return best?.route
    }
}
