// SPDX-License-Identifier: Apache-2.0
//
// Why a destination as a whole, not one message or recipient, gets no mail.

package import MailSyntax

/// What stands between us and a destination.
package struct DestinationFailure: Error, Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        /// DNS did not answer.
        case lookUpFailed
        /// The domain does not exist, or is none.
        case noSuchDomain
        /// The domain says that it takes no mail (null MX, RFC 7505; 521, RFC 7504).
        case acceptsNoMail
        /// No host that DNS names has an address.
        case noAddress
        /// DNS leads back to ourselves.
        case loopsBack
        /// The operator's route refuses it.
        case refusedByRoute
        /// No host could be connected to.
        case unreachable
        /// A host was connected to, and no transaction was possible: its greeting, TLS, login.
        case noSession
        /// TLS as the destination's policy demands could not be had.
        case insecure
    }

    package let reason: Reason
    /// The status for reports; its class says whether another try is worthwhile.
    package let status: EnhancedStatus
    /// One printable line, at most `textOctetsMax` octets.
    package let text: String

    package static let textOctetsMax = 512

    /// Whether no later try can help.
    package var isPermanent: Bool { self.status.statusClass == 5 }

    package init(_ reason: Reason, _ status: EnhancedStatus, _ text: String) {
        self.reason = reason
        self.status = status
        self.text = text.printable(octetsMax: Self.textOctetsMax)
    }
}
