// SPDX-License-Identifier: Apache-2.0
//
// The way out on the real loop: connections, and TLS with what each host has to show.

internal import DNSProtocol
package import Delivery
package import EventLoop
package import MailBytes

/// Connects to other servers.
package final class LoopConnector: Connector {
    private let loop: EventLoop
    private let authoritiesPath: String?
    private var authorities: TLSAuthorities?
    /// Gives its context to all others; what it is for itself is of no account.
    private var base: TLSService?

    /// A connector for whom the certificates of authorities are in a file, in PEM; nil: in the
    /// system's.
    package init(loop: EventLoop, authoritiesPath: String?) {
        self.loop = loop
        self.authoritiesPath = authoritiesPath
    }

    /// Reads the certificates of authorities now, which takes longer than a turn of the loop may.
    ///
    /// - Throws: why those that the configuration names cannot be read; others may be missing.
    package func readAhead() throws(TLSError) {
        guard self.authoritiesPath != nil || TLSAuthorities.systemPath != nil else { return }
        _ = try self.readAuthorities()
    }

    package func connect(
        to address: ListenAddress,
        from local: NetworkAddress?
    ) throws(EventLoopError) -> any ByteStream {
        try self.loop.connect(to: address, localAddress: local)
    }

    package func clientService(
        for requirement: TLSRequirement,
        serverName: String?
    ) throws(TLSError) -> TLSService {
        var options = TLSClientOptions()
        options.serverName = serverName
        switch requirement {
        case .none: break
        case .opportunistic, .encrypted:
            // Nothing depends on it but mail that may pass over verified TLS only.
            if let serverName, let authorities = self.authorities {
                options.verification = .authorities(authorities, names: [serverName])
            }
        case .verified(let names):
            options.verification = .authorities(try self.readAuthorities(), names: names)
            options.requiresVerification = true
        case .dane(let records, let names):
            options.verification = .dane(
                records: records.map {
                    TLSAssociation(
                        usage: $0.usage,
                        selector: $0.selector,
                        matchingType: $0.matchingType,
                        association: $0.association
                    )
                },
                names: names
            )
            options.requiresVerification = true
        }
        return try TLSService(options, contextOf: self.baseService())
    }

    private func baseService() throws(TLSError) -> TLSService {
        if let base = self.base { return base }
        let base = try TLSService(TLSClientOptions())
        self.base = base
        return base
    }

    private func readAuthorities() throws(TLSError) -> TLSAuthorities {
        if let authorities = self.authorities { return authorities }
        guard let path = self.authoritiesPath ?? TLSAuthorities.systemPath else {
            throw TLSError("delivery.authorities", "this system keeps none; name a file of them")
        }
        let authorities = try TLSAuthorities(path: path)
        self.authorities = authorities
        return authorities
    }
}
