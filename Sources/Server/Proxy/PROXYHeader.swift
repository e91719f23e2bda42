// SPDX-License-Identifier: Apache-2.0
//
// What a proxy in front tells of a connection before anything else is said on it: the PROXY
// protocol, versions 1 and 2, as haproxy.org has written it down. The header is all that may be
// taken from the connection, because a ClientHello may follow at once.

package import MailBytes

/// The header that a proxy sends first.
package enum PROXYHeader: Equatable, BitwiseCopyable, Sendable {
    /// The connection is what it looks like: a health check of the proxy, or a client whose address
    /// is none of the internet.
    case local
    /// The addresses of the connection that the proxy was given.
    case proxied(source: NetworkAddress, destination: NetworkAddress)
}

extension PROXYHeader {
    /// What the octets so far amount to.
    package enum Reading: Equatable, BitwiseCopyable, Sendable {
        /// At least so many more belong to the header.
        case wants(Int)
        /// The header is the first `octets` of them.
        case complete(PROXYHeader, octets: Int)
        /// They are no header.
        case malformed
    }

    /// Reads the octets from the beginning of a connection; called again with more of them while it
    /// wants more.
    ///
    /// Whoever takes exactly what is wanted takes exactly the header.
    package static func read(_ octets: borrowing Span<UInt8>) -> Reading {
        let isBinary = octets.count > 0 && octets[0] == BinaryPROXYHeader.signature[0]
        return isBinary ? BinaryPROXYHeader.read(octets) : TextPROXYHeader.read(octets)
    }
}
