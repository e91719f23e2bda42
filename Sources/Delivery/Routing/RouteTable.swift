// SPDX-License-Identifier: Apache-2.0
//
// The routes of the configuration, and which of them holds for a destination.

/// One line of the table.
package struct RouteRule: Hashable, Sendable {
    /// A domain, `*.domain` for all below it, an address literal in brackets, or `*`.
    package var pattern: String
    package var route: Route
    /// What is wanted of TLS on this route; nil: as everywhere.
    package var tls: TLSPreference?

    package init(_ pattern: String, _ route: Route, tls: TLSPreference? = nil) {
        self.pattern = pattern
        self.route = route
        self.tls = tls
    }
}

/// The static routes.
///
/// The most special rule wins: the domain itself, then `*.` before the longest of its parents,
/// then `*`. Without any of them MX decides, and the fallback relay when there is one.
package struct RouteTable: Sendable {
    private var rules: [[UInt8]: RouteRule] = [:]
    private let otherwise: RouteRule

    /// A table; of two rules with one pattern the later one stands, and the fallback is the relay
    /// for what MX cannot deliver: "direct, else relay".
    package init(_ rules: [RouteRule] = [], fallback: RelayTarget? = nil) {
        self.otherwise = RouteRule("*", fallback.map { .mxElse($0) } ?? .mx)
        for rule in rules { self.rules[Array(rule.pattern.lowercased().utf8)] = rule }
    }

    /// The rule for a destination.
    package func rule(for destination: Destination) -> RouteRule {
        guard !self.rules.isEmpty else { return self.otherwise }
        let name = destination.octets
        if let rule = self.rules[name] { return rule }
        // A dot within brackets parts no labels.
        if name.first != UInt8(ascii: "[") {
            var rest = name[...]
            while let dot = rest.firstIndex(of: UInt8(ascii: ".")) {
                rest = rest[(dot + 1)...]
                if let rule = self.rules[Array("*.".utf8) + rest] { return rule }
            }
        }
        return self.rules[Array("*".utf8)] ?? self.otherwise
    }

    /// Whether mail for the destination waits to be fetched.
    package func isOnDemand(_ destination: Destination) -> Bool {
        self.rule(for: destination).route == .onDemand
    }
}
