// SPDX-License-Identifier: Apache-2.0

package import MailBytes

extension Configuration {
    /// One listening socket.
    package struct Listener: Sendable {
        package enum Service: String, Sendable, CaseIterable { case smtp, lmtp, pop3 }

        package enum Address: Sendable, Hashable, CustomStringConvertible {
            case ip(NetworkAddress)
            /// Absolute, or relative to the working directory.
            case unix(path: String)

            /// Whether only this machine reaches it.
            package var isLoopback: Bool {
                switch self {
                case .ip(let address): address.isLoopback
                case .unix: true
                }
            }

            /// The address as the file writes it.
            package var description: String {
                switch self {
                case .ip(let address): address.description
                case .unix(let path): "unix:\(path)"
                }
            }
        }

        package var service: Service
        package var address: Address
        /// Whether passwords may come without TLS.
        package var permitsPlaintextAuth: Bool
        /// Whether the server starts without this socket when its address is in use.
        package var isOptional: Bool

        package init(
            service: Service,
            address: Address,
            permitsPlaintextAuth: Bool,
            isOptional: Bool = false
        ) {
            self.service = service
            self.address = address
            self.permitsPlaintextAuth = permitsPlaintextAuth
            self.isOptional = isOptional
        }
    }
}
