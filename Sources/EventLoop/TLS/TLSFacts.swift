// SPDX-License-Identifier: Apache-2.0

/// What the two ends of a TLS connection agreed on.
package struct TLSFacts: Sendable {
    /// "TLSv1.2" or "TLSv1.3".
    package let version: StaticString
    /// The cipher suite, as OpenSSL calls it.
    package let cipher: String
    /// The name that the client asked for (SNI, RFC 6066 section 3).
    package let serverName: String?
    /// The protocol agreed on by ALPN (RFC 7301).
    package let applicationProtocol: String?
    /// Whether an earlier session was resumed.
    package let isResumed: Bool
    /// The client's certificate, when it has shown one; it has then been verified.
    package let clientCertificate: ClientCertificate?
    /// At a client: whether the server has proved who it is.
    package let serverVerification: ServerVerification

    /// Whom a verified client certificate names.
    package struct ClientCertificate: Sendable {
        /// The common name of its subject.
        package let commonName: String?
        /// The mailboxes among its alternative names (RFC 5280, section 4.2.1.6).
        package let mailboxes: [String]

        package init(commonName: String?, mailboxes: [String]) {
            self.commonName = commonName
            self.mailboxes = mailboxes
        }
    }

    /// What came of verifying a server.
    package enum ServerVerification: Hashable, Sendable {
        case notAsked
        case verified
        /// It is not who it should be, or cannot prove it, and why, in a few words.
        case failed(String)
    }

    package init(
        version: StaticString,
        cipher: String,
        serverName: String? = nil,
        applicationProtocol: String? = nil,
        isResumed: Bool = false,
        clientCertificate: ClientCertificate? = nil,
        serverVerification: ServerVerification = .notAsked
    ) {
        self.version = version
        self.cipher = cipher
        self.serverName = serverName
        self.applicationProtocol = applicationProtocol
        self.isResumed = isResumed
        self.clientCertificate = clientCertificate
        self.serverVerification = serverVerification
    }
}

/// What ties an authentication to the TLS connection it is made on.
package enum ChannelBinding: Sendable {
    /// The hash of the server's certificate: tls-server-end-point (RFC 5929, section 4).
    case serverEndPoint
    /// Keying material of the connection: tls-exporter (RFC 9266).
    case exporter
}
