// SPDX-License-Identifier: Apache-2.0
//
// The ways mail can take, as the operator writes them down.

package import MailBytes

/// Where the mail of a destination goes.
package enum Route: Hashable, Sendable {
    /// To the mail exchangers that DNS names (RFC 5321, section 5.1).
    case mx
    /// To those, and to the relay when none of them can be reached.
    ///
    /// What DNS or a host refuses for good is not tried again at the relay.
    case mxElse(RelayTarget)
    /// To one host, whatever DNS says of the domain.
    case relay(RelayTarget)
    /// Nowhere: every message counts as delivered.
    case discard
    /// Back to the sender, with this text.
    case refuse(String)
    /// It waits until it is fetched by ETRN or ATRN.
    case onDemand
}

/// A host that takes mail for destinations that are not its own.
package struct RelayTarget: Hashable, Sendable {
    package enum Transport: Hashable, BitwiseCopyable, Sendable {
        case smtp
        /// SMTP with TLS from the first octet on (RFC 8314, section 3.3).
        case smtps
        /// RFC 2033: each recipient has a reply of its own after the content.
        case lmtp
    }

    package enum Place: Hashable, Sendable {
        /// A name, of which addresses are looked up, but no MX.
        case host(String, port: UInt16)
        /// An address with its port.
        case address(NetworkAddress)
        /// The path of a Unix socket.
        case unix(String)
    }

    package var transport: Transport
    package var place: Place
    /// Whom we log in as; nil: as nobody.
    package var login: RelayLogin?
    /// What is wanted of TLS with it; nil: what the rule says.
    package var tls: TLSPreference?

    package init(
        _ transport: Transport,
        _ place: Place,
        login: RelayLogin? = nil,
        tls: TLSPreference? = nil
    ) {
        self.transport = transport
        self.place = place
        self.login = login
        self.tls = tls
    }
}

/// Whom we are at a relay.
///
/// The password itself stays where the reference says.
package struct RelayLogin: Hashable, Sendable {
    package var name: String
    /// What the owner of secrets knows the password by, such as the path of its file.
    package var secret: String

    package init(name: String, secret: String) {
        self.name = name
        self.secret = secret
    }
}
