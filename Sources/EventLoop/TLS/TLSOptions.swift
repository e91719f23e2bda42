// SPDX-License-Identifier: Apache-2.0

/// What a `TLSService` is made of.
package struct TLSOptions {
    /// The oldest version of TLS that is spoken.
    package enum Version: Sendable {
        case tls12
        case tls13
    }

    /// PEM files: a chain that begins with the server's own certificate, and its private key.
    ///
    /// The first is the default. A client that asks for a name gets the certificates that have it;
    /// beside one of the same names there may be one with a key of another type. Without any, no
    /// handshake succeeds.
    package var certificates: [(chainPath: String, keyPath: String)]
    /// PEM file of the authorities whose client certificates are accepted; nil asks for none.
    package var clientAuthoritiesPath: String?
    package var minimumVersion = Version.tls12
    /// What is spoken here, in the names of ALPN (RFC 7301): "pop3", "imap", "smtp".
    ///
    /// A client that asks only for others is refused; one that asks for nothing is served.
    package var applicationProtocols: [String] = []
    /// Without keys no session is resumed.
    package var ticketKeys: TicketKeys?

    package init(certificates: [(chainPath: String, keyPath: String)]) {
        self.certificates = certificates
    }
}
