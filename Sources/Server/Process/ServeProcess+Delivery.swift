// SPDX-License-Identifier: Apache-2.0
//
// Assembles what delivers mail to other servers: names, the way out, policies, passwords.

internal import Configuration
internal import EventLoop
internal import PolicyFetch
internal import Resolver

extension ServeProcess {
    /// Makes what delivers mail to other servers.
    static func delivery(
        of server: MailServer,
        _ configuration: Configuration,
        _ loop: EventLoop
    ) throws(Failure) -> DeliveryEngine {
        let (passwords, errors) = configuration.relayPasswords()
        guard errors.isEmpty else { throw .configuration(errors) }
        let resolver: Resolver
        do throws(ResolverError) {
            resolver = try Resolver(loop: loop, settings: configuration.resolverSettings)
        } catch {
            throw .configuration(["delivery: \(error)"])
        }
        let names = LoopNames(resolver)
        let connector = LoopConnector(
            loop: loop,
            authoritiesPath: configuration.delivery.authoritiesPath
        )
        do throws(TLSError) { try connector.readAhead() } catch {
            throw .configuration(["delivery.authorities: \(error)"])
        }
        let fetcher = PolicyFetcher(loop: loop, settings: configuration.policyFetchSettings)
        return DeliveryEngine(
            server: server,
            settings: configuration.deliverySettings(
                passwords: passwords,
                worker: passwords.isEmpty ? nil : ProofThread(loop: loop)
            ),
            names: names,
            connector: connector,
            policies: LoopPolicies(fetcher, names: names)
        )
    }
}
