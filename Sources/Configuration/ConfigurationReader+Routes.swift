// SPDX-License-Identifier: Apache-2.0
//
// Reads the [[route]] tables.

internal import MailSyntax

extension ConfigurationReader {
    /// The keys of a [[route]] table.
    enum RouteKey: String, CaseIterable {
        case domain
        case to
        case tls
        case login
        case passwordFile = "password-file"
        case text
        case accounts
    }

    private static let targets = ["mx", "discard", "refuse", "on-demand"]
    /// What senders read in the report.
    private static let refusal = "Mail for this domain is not accepted"

    /// Reads all routes; those with errors are left out.
    mutating func readRoutes(_ entry: TOMLTable.Entry) {
        guard case .array(let values) = entry.value.content, !values.isEmpty else {
            let why = "must be one or more tables, [[route]], not \(entry.value.description)"
            return self.complain(at: entry.value.line, "route", why)
        }
        for row in self.rows(of: values, named: "route") { self.readRoute(row) }
    }

    private mutating func readRoute(_ row: Row) {
        self.checkNames(row, among: RouteKey.allCases.map(\.rawValue))
        let pattern = self.pattern(row)
        let target = self.target(row)
        let tls = self.routeTLS(row)
        let accounts = self.accounts(row)
        let credentials = self.credentials(row)
        guard let pattern, var target else { return }
        self.checkUses(row, of: target)
        var route = Configuration.Route(pattern: pattern, target: target)
        switch target {
        case .relay(var relay):
            relay.credentials = credentials
            relay.tls = tls ?? self.defaultTLS(of: relay)
            self.check(relay, at: row.line(of: "tls"), "\(row.path).tls")
            target = .relay(relay)
        case .mx: route.tls = tls
        case .onDemand: route.accounts = accounts
        case .discard, .refuse: break
        }
        route.target = target
        self.configuration.routes.append(route)
        self.routePlaces.append(row)
    }

    private mutating func pattern(_ row: Row) -> Configuration.DomainPattern? {
        let expectation = "\"example.org\", \"*.example.org\" for all below it, or \"*\" for all"
        let text = self.string(row, "domain", expectation) { Self.pattern($0) != nil }
        return text.flatMap { Self.pattern($0) }
    }

    private mutating func target(_ row: Row) -> Configuration.Route.Target? {
        let expectation =
            "one of \(Self.targets.map(\.quoted).joined(separator: " ")), or \(Self.serverForms)"
        guard let text = self.string(row, "to", expectation, isRight: { !$0.isEmpty }) else {
            return nil
        }
        switch text {
        case "mx": return .mx
        case "discard": return .discard
        case "on-demand": return .onDemand
        case "refuse": return self.refusal(row).map { .refuse(text: $0) }
        default: break
        }
        let line = row.line(of: "to")
        guard text.contains(":") else {
            let why = "must be \(expectation), not \(text.quoted)"
            self.complain(at: line, "\(row.path).to", why)
            return nil
        }
        return self.relay(text, at: line, "\(row.path).to").map { .relay($0) }
    }

    private mutating func refusal(_ row: Row) -> String? {
        guard row.table["text"] != nil else { return Self.refusal }
        let expectation = "a text of 1 to 200 printable ASCII characters (what senders are told)"
        return self.string(row, "text", expectation) { text in
            1...200 ~= text.utf8.count && text.utf8.allSatisfy { 0x20...0x7e ~= $0 }
        }
    }

    private mutating func routeTLS(_ row: Row) -> Configuration.Delivery.TLS? {
        guard row.table["tls"] != nil else { return nil }
        let names = Configuration.Delivery.TLS.allCases.map(\.rawValue.quoted)
        let text = self.string(row, "tls", "one of \(names.joined(separator: " "))") {
            Configuration.Delivery.TLS(rawValue: $0) != nil
        }
        return text.flatMap { Configuration.Delivery.TLS(rawValue: $0) }
    }

    private mutating func accounts(_ row: Row) -> [Address] {
        guard let value = row.table["accounts"]?.value else { return [] }
        let path = "\(row.path).accounts"
        guard case .array(let values) = value.content else {
            let why = "must be an array of addresses, such as [\"office@example.org\"] (who may "
            self.complain(at: value.line, path, why + "fetch the mail), not \(value.description)")
            return []
        }
        return values.enumerated().compactMap { index, value in
            if case .string(let text) = value.content, let address = Address(parsing: text) {
                return address
            }
            let why = "must be an address, such as \"office@example.org\", not "
            self.complain(at: value.line, "\(path)[\(index)]", why + value.description)
            return nil
        }
    }

    private mutating func credentials(_ row: Row) -> Configuration.RelayCredentials? {
        var login: String?
        var path: String?
        if row.table["login"] != nil {
            let expectation = "a name of printable characters (who logs in there)"
            login = self.string(row, "login", expectation, isRight: Self.isLogin)
        }
        if row.table["password-file"] != nil {
            path = self.path(row, "password-file", "holds the password of login")
        }
        for (key, other) in [("login", "password-file"), ("password-file", "login")]
        where row.table[key] != nil && row.table[other] == nil {
            self.complain(at: row.line(of: key), "\(row.path).\(key)", "needs \(other) beside it")
        }
        guard let login, let path else { return nil }
        return Configuration.RelayCredentials(login: login, passwordPath: path)
    }

    /// Keys that mean nothing where the mail goes.
    private mutating func checkUses(_ row: Row, of target: Configuration.Route.Target) {
        let used: Set<RouteKey> =
            switch target {
            case .mx: [.tls]
            case .relay: [.tls, .login, .passwordFile]
            case .discard: []
            case .refuse: [.text]
            case .onDemand: [.accounts]
            }
        for key in RouteKey.allCases
        where key != .domain && key != .to && !used.contains(key) && row.table[key.rawValue] != nil
        {
            let path = "\(row.path).\(key.rawValue)"
            self.complain(at: row.line(of: key.rawValue), path, "has no use with this \"to\"")
        }
    }
}
