// SPDX-License-Identifier: Apache-2.0
//
// What routes, relaying and the rest of the configuration demand of each other.

internal import MailBytes
internal import MailSyntax

extension ConfigurationReader {
    /// Checks all about mail on its way out.
    mutating func checkDelivery() {
        self.checkRelaying()
        self.checkTimes()
        self.joinFallback()
        for index in self.configuration.routes.indices { self.checkRoute(index) }
        self.checkFetching()
    }

    // MARK: - Who may relay

    private mutating func checkRelaying() {
        for (index, pattern) in self.configuration.relayDomains.enumerated() {
            let path = "relay-domains[\(index)]"
            let line = self.lines["relay-domains"] ?? 0
            if pattern == .any, !self.configuration.allowsOpenRelay {
                self.complain(at: line, path, "\"*\" is an open relay, \(Self.openRelayCure)")
            }
            if case .domain(let name) = pattern, self.configuration.localDomains.contains(name) {
                let why = "\(name.quoted) is a local domain, whose mail is delivered here"
                self.complain(at: line, path, why)
            }
        }
        for (index, network) in self.configuration.relayNetworks.enumerated()
        where network.isMostOfTheInternet && !self.configuration.allowsOpenRelay {
            self.complain(
                at: self.lines["relay-networks"] ?? 0,
                "relay-networks[\(index)]",
                "\(network.description.quoted) is an open relay, \(Self.openRelayCure)"
            )
        }
    }

    private static let openRelayCure =
        "which spammers find within hours; name your own, or write allow-open-relay = true"

    // MARK: - [delivery]

    private mutating func checkTimes() {
        let delivery = self.configuration.delivery
        if delivery.retrySecondsMin > delivery.retrySecondsMax {
            let key = "delivery.retry-seconds-min"
            let line = self.lines[key] ?? self.lines["delivery.retry-seconds-max"] ?? 0
            let why = "\(delivery.retrySecondsMin) is more than retry-seconds-max"
            self.complain(at: line, key, "\(why), \(delivery.retrySecondsMax)")
        }
        if delivery.warnHours >= delivery.ageHoursMax {
            let key = "delivery.warn-hours"
            let line = self.lines[key] ?? self.lines["delivery.age-hours-max"] ?? 0
            let why = "\(delivery.warnHours) is not less than age-hours-max"
            self.complain(at: line, key, "\(why), \(delivery.ageHoursMax); 0 is for no warning")
        }
    }

    /// Gives the fallback relay its login.
    private mutating func joinFallback() {
        let delivery = self.configuration.delivery
        let names = ("delivery.fallback-login", "delivery.fallback-password-file")
        for (key, other) in [names, (names.1, names.0)] {
            guard let line = self.lines[key] else { continue }
            if self.lines["delivery.fallback-relay"] == nil, delivery.fallbackRelay == nil {
                self.complain(at: line, key, "has no use without fallback-relay")
            } else if self.lines[other] == nil {
                self.complain(at: line, key, "needs \(other.dropFirst(9)) beside it")
            }
        }
        guard var relay = delivery.fallbackRelay else { return }
        if let login = delivery.fallbackLogin, let path = delivery.fallbackPasswordPath {
            relay.credentials = Configuration.RelayCredentials(login: login, passwordPath: path)
        }
        relay.tls = self.defaultTLS(of: relay)
        let (key, line) = ("delivery.fallback-relay", self.lines["delivery.fallback-relay"] ?? 0)
        self.check(relay, at: line, key)
        if let why = self.way(back: relay) { self.complain(at: line, key, why) }
        self.configuration.delivery.fallbackRelay = relay
    }

    // MARK: - Relays

    /// Who shows a password must know whom.
    func defaultTLS(of relay: Configuration.Relay) -> Configuration.Delivery.TLS? {
        relay.credentials != nil && !relay.isLoopback ? .verified : nil
    }

    /// What TLS of a relay must be for its login and its transport.
    mutating func check(_ relay: Configuration.Relay, at line: Int, _ key: String) {
        if case .unix = relay.host, relay.tls != nil {
            return self.complain(at: line, key, "has no use: nothing listens in on a Unix socket")
        }
        guard relay.credentials != nil, !relay.isLoopback else { return }
        switch relay.tls {
        case .verified, .encrypted, nil: break
        case .opportunistic, .daneAndSTS:
            let why = "the password could cross the network in clear; "
            self.complain(at: line, key, why + "write \"verified\" or \"encrypted\"")
        }
    }

    /// Why mail to a relay would come back here; nil: it would not.
    private func way(back relay: Configuration.Relay) -> String? {
        for (listener, row) in zip(self.configuration.listeners, self.listenerPlaces) {
            let isSame =
                switch (relay.host, listener.address) {
                case (.unix(let path), .unix(let own)): path == own
                case (.ip(let address), .ip(let own)):
                    address == own
                        || own.isUnspecified && own.port == address.port && address.isLoopback
                case (.name(let name, let port), .ip(let own)):
                    name == self.configuration.hostname.lowercased() && port == Int(own.port)
                case (.unix, .ip), (.ip, .unix), (.name, .unix): false
                }
            if isSame { return "mail would come back here: this is \(row.path) of this server" }
        }
        return nil
    }

    // MARK: - [[route]]

    private mutating func checkRoute(_ index: Int) {
        let route = self.configuration.routes[index]
        let row = self.routePlaces[index]
        if case .domain(let name) = route.pattern, self.configuration.localDomains.contains(name) {
            let why = "\(name.quoted) is a local domain, whose mail is delivered here"
            self.complain(at: row.line(of: "domain"), "\(row.path).domain", why)
        }
        for earlier in 0..<index where self.configuration.routes[earlier].pattern == route.pattern {
            let place = self.routePlaces[earlier]
            let why = "\(route.pattern.description.quoted) has a route on line "
            self.complain(
                at: row.line(of: "domain"),
                "\(row.path).domain",
                why + "\(place.line(of: "domain"))"
            )
        }
        switch route.target {
        case .relay(let relay):
            guard let why = self.way(back: relay) else { break }
            self.complain(at: row.line(of: "to"), "\(row.path).to", why)
        case .onDemand: self.checkAccounts(route, at: row)
        case .mx, .discard, .refuse: break
        }
    }

    /// Mail that is kept must be fetched by somebody.
    private mutating func checkAccounts(_ route: Configuration.Route, at row: Row) {
        let path = "\(row.path).accounts"
        if route.accounts.isEmpty, row.table["accounts"] == nil {
            let why = "is missing: nobody could fetch the mail; name those who may, such as "
            self.complain(at: row.line, path, why + "[\"office@example.org\"]")
        } else if case .array(let values)? = row.table["accounts"]?.value.content, values.isEmpty {
            self.complain(
                at: row.line(of: "accounts"),
                path,
                "is empty: nobody could fetch the mail"
            )
        }
        for (index, account) in route.accounts.enumerated() {
            let domain = String(decoding: account.domain, as: UTF8.self)
            guard !self.configuration.localDomains.contains(domain) else { continue }
            let why = "\(account.text.quoted) is in no local domain, and has no account here"
            self.complain(at: row.line(of: "accounts"), "\(path)[\(index)]", why)
        }
    }

    private mutating func checkFetching() {
        let hasMail = self.configuration.routes.contains { $0.target == .onDemand }
        let hasErrors = self.errors.contains { $0.key.hasPrefix("route") }
        let fetching = zip(self.configuration.listeners, self.listenerPlaces)
            .filter { $0.0.service == .odmr }
        if hasMail, fetching.isEmpty, !self.configuration.smtp.offersETRN {
            for (route, row) in zip(self.configuration.routes, self.routePlaces)
            where route.target == .onDemand {
                let why = "nobody could fetch the mail; write a [[listener]] with service = "
                self.complain(
                    at: row.line(of: "to"),
                    "\(row.path).to",
                    why + "\"odmr\", or offer-etrn = true in [smtp]"
                )
            }
        }
        guard !hasMail, !hasErrors else { return }
        for (_, row) in fetching {
            let why = "has no mail to give: write a [[route]] with to = \"on-demand\""
            self.complain(at: row.line(of: "service"), "\(row.path).service", why)
        }
    }
}

extension Configuration.Relay {
    /// Whether nobody else can listen in on the way there.
    fileprivate var isLoopback: Bool {
        switch self.host {
        case .name: false
        case .ip(let address): address.isLoopback
        case .unix: true
        }
    }
}

extension Configuration.NetworkPrefix {
    /// Whether the network is wider than any of one's own: 10.0.0.0/8 and fc00::/7 are the widest.
    fileprivate var isMostOfTheInternet: Bool {
        switch self.address.family {
        case .ipv4: self.length < 8
        case .ipv6: self.length < (self.address.high >> 57 == 0xfc >> 1 ? 7 : 16)
        case .unix: false
        }
    }
}
