// SPDX-License-Identifier: Apache-2.0
//
// What the configuration says of other servers, in the words of the modules that look for them.

package import Configuration
package import Delivery
internal import MailBytes
package import PolicyFetch
package import Resolver

extension Configuration {
    /// Whom the resolver asks and what it believes.
    package var resolverSettings: ResolverSettings {
        var settings = ResolverSettings()
        if !self.delivery.resolvers.isEmpty {
            settings.servers = .addresses(self.delivery.resolvers)
        }
        if let file = self.delivery.trustAnchorsPath { settings.trustAnchors = .always(file: file) }
        return settings
    }

    /// How policies of MTA-STS are fetched.
    package var policyFetchSettings: PolicyFetchSettings {
        var settings = PolicyFetchSettings()
        settings.authoritiesFile = self.delivery.authoritiesPath
        return settings
    }

    /// The static routes.
    package var routeTable: RouteTable {
        RouteTable(
            self.routes.map { RouteRule($0) },
            fallback: self.delivery.fallbackRelay.map(RelayTarget.init)
        )
    }

    /// What the look-up of a destination goes by beside DNS.
    package var routeSettings: RouteSettings {
        var settings = RouteSettings()
        settings.port = UInt16(clamping: self.delivery.smtpPort)
        settings.ownNames = [self.hostname.lowercased()]
        settings.ownAddresses = self.listeners.compactMap { listener in
            guard listener.service == .smtp, case .ip(let address) = listener.address else {
                return nil
            }
            return address
        }
        settings.asksTLSA = self.delivery.tls == .daneAndSTS
        return settings
    }
}

extension TLSPreference {
    /// The same in the words of the configuration.
    init?(_ tls: Configuration.Delivery.TLS) { self.init(rawValue: tls.rawValue) }
}

extension RouteRule {
    fileprivate init(_ route: Configuration.Route) {
        self.init(
            route.pattern.description,
            Route(route.target),
            tls: route.tls.flatMap(TLSPreference.init)
        )
    }
}

extension Route {
    fileprivate init(_ target: Configuration.Route.Target) {
        self =
            switch target {
            case .mx: .mx
            case .relay(let relay): .relay(RelayTarget(relay))
            case .discard: .discard
            case .refuse(let text): .refuse(text)
            case .onDemand: .onDemand
            }
    }
}

extension RelayTarget {
    fileprivate init(_ relay: Configuration.Relay) {
        let transport: Transport =
            switch relay.transport {
            case .smtp: .smtp
            case .smtps: .smtps
            case .lmtp: .lmtp
            }
        let place: Place =
            switch relay.host {
            case .name(let name, let port): .host(name, port: UInt16(clamping: port))
            case .ip(let address): .address(address)
            case .unix(let path): .unix(path)
            }
        self.init(
            transport,
            place,
            login: relay.credentials.map { RelayLogin(name: $0.login, secret: $0.passwordPath) },
            tls: relay.tls.flatMap(TLSPreference.init)
        )
    }
}
