// SPDX-License-Identifier: Apache-2.0
//
// Whom a resolver asks, what it believes, and how much it does at once.

package import MailBytes

/// The settings of a resolver.
package struct ResolverSettings: Sendable {
    package enum Servers: Hashable, Sendable {
        /// Those of a file in the form of resolv.conf(5), which is looked at again when it has
        /// changed; without any, the one on this host.
        case system(file: String)
        /// These; a port of 0 is 53.
        case addresses([NetworkAddress])
    }

    package enum TrustAnchors: Hashable, Sendable {
        /// No answer is checked.
        case none
        /// Those of the file, if there is one, as long as the servers pass on what DNSSEC needs:
        /// where they never do, answers are merely not secure. The names of `openZones` are not
        /// checked, because the root has proof that they do not exist.
        case whenPossible(file: String)
        /// Those of the file, which must exist, and without exception.
        case always(file: String)
    }

    package var servers: Servers
    package var trustAnchors: TrustAnchors
    /// Zones that the servers are asked about although no public server has them (RFC 6761).
    package var openZones = ["invalid", "test"]
    /// The time from a question to `failed`, in seconds.
    package var secondsMax: Double = 10
    /// How many different questions are under way at once; the others wait.
    package var inFlightMax = 256
    /// How many different questions wait; further ones fail.
    package var waitingMax = 65_536
    /// How many octets of answers are remembered, about.
    package var cacheOctetsMax = 8 << 20

    package init(
        servers: Servers = .system(file: "/etc/resolv.conf"),
        trustAnchors: TrustAnchors = .whenPossible(file: standardTrustAnchorFile)
    ) {
        self.servers = servers
        self.trustAnchors = trustAnchors
    }

    /// The keys of the root, where Debian's dns-root-data has them.
    package static let standardTrustAnchorFile = "/usr/share/dns/root.key"

    /// Sockets of libunbound: one for each question it asks at once, and those for long answers.
    var udpSocketsMax: Int { self.inFlightMax }
    static let tcpSocketsMax = 16

    /// A server as it is configured: an address, perhaps followed by `@` and a port; nil for
    /// anything else.
    package static func server(_ text: String) -> NetworkAddress? {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2, !first.contains("["),
            let address = NetworkAddress(parsing: String(first)), address.port == 0
        else { return nil }
        guard parts.count == 2 else { return address }
        guard let port = UInt16(parts[1]), port > 0, !parts[1].hasPrefix("+") else { return nil }
        return address.with(port: port)
    }
}

/// Why there is no resolver, as a sentence.
package struct ResolverError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
