// SPDX-License-Identifier: Apache-2.0
//
// Everything that can come back to a waiting driver, from the store, a worker or a timer.

package import MailStore
package import MailSyntax
package import POP3Protocol
package import Credentials

/// The answer to one ticket.
package enum StorageReply: Sendable {
    case written(StoreAnswer)
    case resolved(Address, AddressResolution)
    /// The members of a list, LF between them; nil when there is no such address.
    case expanded([UInt8]?)
    case account(AccountRecord?)
    case maildrop(MaildropHead)
    case listing(MaildropListing)
    case content([UInt8], isLast: Bool, following: [PrefetchedMessage])
    case accounts([AccountSummary])
    case aliases([AliasSummary])
    case judged(PasswordVerdict)
    case delayPassed
    case failed(StoreError)
}

/// A whole message that was read before it was asked for.
package struct PrefetchedMessage: Sendable {
    package let sequence: UInt32
    package let octets: [UInt8]
}

/// What the password worker found.
package struct PasswordVerdict: Sendable {
    package let isValid: Bool
    /// What to store from now on, when the account held an imported hash.
    package let betterRecord: PasswordRecord?

    package init(isValid: Bool, betterRecord: PasswordRecord? = nil) {
        self.isValid = isValid
        self.betterRecord = betterRecord
    }
}
