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
                postmaster: postmaster
            ),
            isExempt: { peer in exempt.contains { $0.contains(peer) } },
            isTrustedProxy: { peer in proxies.contains { $0.contains(peer) } }
        )
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
