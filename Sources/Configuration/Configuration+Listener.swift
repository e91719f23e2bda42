// SPDX-License-Identifier: Apache-2.0

package import MailBytes

extension Configuration {
    /// One listening socket.
    package struct Listener: Sendable {
        package enum Service: String, Sendable, CaseIterable {
            case smtp, submission, lmtp, pop3
            /// Mail is fetched by ATRN (RFC 2645).
            case odmr

            /// Whether clients log in.
            package var hasLogins: Bool {
                switch self {
                case .submission, .pop3, .odmr: true
                case .smtp, .lmtp: false
                }
            }
        }

        package enum TLSMode: String, Sendable, CaseIterable {
            case off
            /// In clear until the client asks for TLS by STARTTLS or STLS.
            case starttls
            /// TLS from the first octet (RFC 8314).
            case implicit
        }

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
        package var tls: TLSMode
        /// Whether passwords may come without TLS.
        package var permitsPlaintextAuth: Bool
        /// Whether the server starts without this socket when its address is in use.
        package var isOptional: Bool
        /// Whether each connection must begin with a PROXY header, from a trusted proxy.
        package var expectsProxyHeader = false
        /// The peers that may say by XCLIENT for whom they speak; XCLIENT is not offered to others.
        package var xclientNetworks: [NetworkPrefix] = []
        /// Whether XCLIENT may say who has logged in.
        package var permitsXCLIENTLogin = false

        package init(
            service: Service,
            address: Address,
            tls: TLSMode = .off,
            permitsPlaintextAuth: Bool,
            isOptional: Bool = false
        ) {
            self.service = service
            self.address = address
            self.tls = tls
            self.permitsPlaintextAuth = permitsPlaintextAuth
            self.isOptional = isOptional
        }
    }
}
