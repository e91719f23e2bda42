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

        /// Whether it can be for good at all.
        ///
        /// What a host says or shows in a session may be for us alone and for today: a block list,
        /// overload, a password or a certificate that the operator has yet to mend. A queue full
        /// of mail must not come back for that.
        var canBePermanent: Bool {
            switch self {
            case .noSuchDomain, .acceptsNoMail, .noAddress, .loopsBack, .refusedByRoute: true
            case .lookUpFailed, .unreachable, .noSession, .insecure: false
            }
        }
    }

    package let reason: Reason
    /// The status for reports; its class says whether another try is worthwhile.
    package let status: EnhancedStatus
    /// One printable line, at most `textOctetsMax` octets.
    package let text: String

    package static let textOctetsMax = 512

    /// Whether no later try can help.
    package var isPermanent: Bool { self.status.statusClass == 5 }

    /// A failure; its status is made one of class 4 where the reason may pass.
    package init(_ reason: Reason, _ status: EnhancedStatus, _ text: String) {
        self.reason = reason
        self.status =
            reason.canBePermanent ? status : EnhancedStatus(4, status.subject, status.detail)
        self.text = text.printable(octetsMax: Self.textOctetsMax)
    }
}
