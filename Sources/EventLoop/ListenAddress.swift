// SPDX-License-Identifier: Apache-2.0
//
// Where a listener listens, or an outgoing connection goes.

package import MailBytes

/// An internet address with a port, or the path of a Unix socket.
package enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
    case ip(NetworkAddress)
    case unix(path: String)

    /// The address as the configuration writes it.
    package var description: String {
        switch self {
        case .ip(let address): address.description
        case .unix(let path): "unix:\(path)"
        }
    }
}
