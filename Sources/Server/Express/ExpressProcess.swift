// SPDX-License-Identifier: Apache-2.0
//
// Sends one message from a command: a loop of its own, which ends when the last recipient's fate is
// known.

package import Configuration
internal import Delivery
internal import EventLoop
internal import Glibc
internal import MailBytes
internal import PolicyFetch
package import Resolver

/// The sending of one message, start to end.
package enum ExpressProcess {
    /// Where a message is to go.
    package enum Way: Sendable {
        /// Each recipient's mail to the hosts of its domain.
        case direct
        /// All of it to the server of the configuration, which has a queue.
        case ownServer
    }

    /// Why nothing can be sent at all, as a sentence.
    package struct Failure: Error {
        package let text: String
        /// Whether it is the configuration that must change.
        package let isConfiguration: Bool
    }

    /// Sends, and returns what became of each recipient, in their order.
    package static func send(
        _ message: ExpressMessage,
        _ way: Way,
        configuration: Configuration,
        resolver: ResolverSettings,
        watch: @escaping (ExpressNote) -> Void
    ) throws(Failure) -> [ExpressResult] {
        // A host that breaks a connection must not end the program.
        signal(SIGPIPE, SIG_IGN)
        // A login is asked for only where a route has one; what cannot be read is then missed.
        var settings = configuration.deliverySettings(
            passwords: configuration.relayPasswords().passwords,
            worker: nil
        )
        // Mail for this very host may be delivered to it.
        settings.lookUps.ownNames = []
        settings.lookUps.ownAddresses = []
        var single: Destination?
        if way == .ownServer {
            let target = try Self.ownServer(configuration)
            settings.routes = RouteTable([RouteRule("*", .relay(target))])
            single = Destination(configuration.hostname)
        }
        let loop: EventLoop
        let names: LoopNames
        do {
            loop = try EventLoop(connectionsMax: Self.connectionsMax)
            names = LoopNames(try Resolver(loop: loop, settings: resolver))
        } catch {
            throw Failure(text: "\(error)", isConfiguration: true)
        }
        let fetcher = PolicyFetcher(loop: loop, settings: configuration.policyFetchSettings)
        let delivery = ExpressDelivery(
            message,
            settings: settings,
            singleDestination: single,
            names: names,
            policies: LoopPolicies(fetcher, names: names),
            connector: LoopConnector(
                loop: loop,
                authoritiesPath: configuration.delivery.authoritiesPath
            ),
            time: LoopTime(loop: loop),
            watch: watch,
            done: { [unowned loop] in loop.stop() }
        )
        loop.after(seconds: 0) { delivery.begin() }
        loop.run()
        return delivery.results.compactMap { $0 }
    }

    /// The listener that takes mail without a login: one that only this machine reaches, if any.
    private static func ownServer(_ configuration: Configuration) throws(Failure) -> RelayTarget {
        let listeners = configuration.listeners.filter {
            $0.service == .smtp && !$0.expectsProxyHeader
        }
        let best = listeners.first { $0.address.isLoopback } ?? listeners.first
        guard let best else {
            throw Failure(
                text: "\(configuration.path): no listener takes SMTP without a PROXY header",
                isConfiguration: true
            )
        }
        let transport: RelayTarget.Transport = best.tls == .implicit ? .smtps : .smtp
        // The certificate is for the server's name, not for the way to it within this machine.
        let tls = best.tls == .implicit ? TLSPreference.encrypted : .opportunistic
        switch best.address {
        case .unix(let path): return RelayTarget(transport, .unix(path), tls: tls)
        case .ip(let address):
            return RelayTarget(transport, .address(address.reachable), tls: tls)
        }
    }

    private static let connectionsMax = 64
}

extension NetworkAddress {
    /// Where a listener on all addresses is reached from within this machine.
    fileprivate var reachable: NetworkAddress {
        switch self.family {
        case .ipv4 where self.low == 0xffff_0000_0000:
            NetworkAddress(ipv4: 0x7f00_0001, port: self.port)
        case .ipv6 where self.high == 0 && self.low == 0:
            NetworkAddress(ipv6: 0, 1, port: self.port)
        case .ipv4, .ipv6, .unix: self
        }
    }
}
