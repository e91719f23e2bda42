// SPDX-License-Identifier: Apache-2.0
//
// From the configuration to the settings of sessions, drivers and the store.

package import Configuration
internal import EventLoop
internal import MailBytes
package import MailStore
internal import MailSyntax

extension Configuration {
    /// Where the command line reaches the running server.
    package var controlSocketPath: String { "\(self.dataDirectory)/control.sock" }

    package var storeOptions: MailStore.Options {
        var options = MailStore.Options()
        options.reserveOctets = self.store.reserveOctets
        return options
    }

    /// Where mail for postmaster goes when nobody said otherwise.
    var postmasterAddress: Address? {
        self.postmaster ?? Address(parsing: "postmaster@\(self.localDomains.first ?? "localhost")")
    }

    func addressSettings(postmaster: Address) -> AddressSettings {
        let exempt = self.limits.exemptNetworks
        let proxies = self.trustedProxies
        return AddressSettings(
            localDomains: self.localDomains,
            policy: AddressPolicy(
                delimiter: self.subaddressDelimiter,
                catchAll: self.catchAll,
                postmaster: postmaster,
                localDomains: self.localDomains
            ),
            isExempt: { peer in exempt.contains { $0.contains(peer) } },
            isTrustedProxy: { peer in proxies.contains { $0.contains(peer) } }
        )
    }

    var relaySettings: RelaySettings {
        var settings = RelaySettings()
        let (domains, networks) = (self.relayDomains, self.relayNetworks)
        settings.isRelayDomain = { domain in domains.contains { $0.matches(domain) } }
        settings.mayRelay = { client in networks.contains { $0.contains(client) } }
        let configuration = self
        settings.fetchers = { domain in
            let route = configuration.route(of: domain)
            if let route, route.target == .onDemand { return .accounts(Set(route.accounts)) }
            return domains.contains { $0.matches(domain) } ? .anybody : .nobody
        }
        settings.kept = self.routes.compactMap { route in
            guard route.target == .onDemand else { return nil }
            return switch route.pattern {
            case .domain(let name): RelaySettings.Kept(domain: Array(name.utf8), isBelow: false)
            case .below(let name): RelaySettings.Kept(domain: Array(name.utf8), isBelow: true)
            case .any: RelaySettings.Kept(domain: [], isBelow: true)
            }
        }
        settings.ageSeconds = Int64(self.delivery.ageHoursMax) * 3600
        settings.warnSeconds =
            self.delivery.warnHours == 0 ? nil : Int64(self.delivery.warnHours) * 3600
        return settings
    }

    var serverLimits: ServerLimits {
        var limits = ServerLimits()
        limits.connections = self.limits.connections
        limits.connectionsPerClient = self.limits.connectionsPerClient
        limits.idleSeconds = Double(self.limits.idleSeconds)
        limits.pop3IdleSeconds = Double(self.limits.pop3IdleSeconds)
        limits.transactionSeconds = Double(self.limits.transactionSeconds)
        limits.contentOctetsPerSecondMin = self.limits.contentOctetsPerSecondMin
        limits.outputBacklogOctets = self.limits.outputBacklogOctets
        limits.contentMemoryOctets = self.limits.contentMemoryOctets
        limits.stepsPerTurn = self.limits.stepsPerTurn
        limits.deliveriesPerTransaction = self.limits.deliveriesPerTransaction
        limits.addressCacheEntries = self.limits.addressCacheEntries
        limits.credentialCacheEntries = self.limits.credentialCacheEntries
        limits.loginFailureSeconds = Double(self.limits.loginFailureMilliseconds) / 1000
        limits.loginDelaySeconds = self.pop3.loginDelaySeconds.map(Double.init)
        limits.connectionsPerClientMinute = self.limits.connectionsPerClientMinute
        limits.loginFailuresPerClient = self.limits.loginFailuresPerClient
        limits.loginFailuresPerAccount = self.limits.loginFailuresPerAccount
        limits.loginBanSeconds = Double(self.limits.loginBanSeconds)
        limits.messagesPerAccountHour = self.limits.messagesPerAccountHour
        limits.recipientsPerAccountHour = self.limits.recipientsPerAccountHour
        limits.tarpitAfterErrors = self.limits.tarpitAfterErrors
        limits.tarpitSeconds = Double(self.limits.tarpitMilliseconds) / 1000
        limits.greetingDelaySeconds = Double(self.limits.greetingDelayMilliseconds) / 1000
        limits.proxyHeaderSeconds = Double(self.limits.proxyHeaderSeconds)
        limits.shutdownGraceSeconds = Double(self.limits.shutdownGraceSeconds)
        return limits
    }
}

extension Configuration.Listener.Address {
    var listenAddress: ListenAddress {
        switch self {
        case .ip(let address): .ip(address)
        case .unix(let path): .unix(path: path)
        }
    }
}
