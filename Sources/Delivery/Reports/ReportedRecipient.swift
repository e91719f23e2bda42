// SPDX-License-Identifier: Apache-2.0
//
// One recipient of a message, as a report tells of it.

package import MailSyntax

/// What became of one recipient.
package struct ReportedRecipient: Hashable, Sendable {
    /// The mailbox that delivery was tried to.
    package var address: [UInt8]
    /// ORCPT as it came: an address type, a semicolon, and the address in xtext; empty: none.
    package var originalRecipient: [UInt8]
    package var action: ReportedAction
    package var status: EnhancedStatus
    /// The host that was asked last, its name first, and perhaps its address behind a space; empty
    /// when none was asked.
    package var host: [UInt8]
    /// What that host said, beginning with its reply code; or, without a code, why there was no
    /// host to ask; empty: nothing to tell.
    ///
    /// It need not be printable.
    package var reply: [UInt8]
    /// Seconds since 1970.
    package var lastAttemptAt: Int64?

    package init(
        address: [UInt8],
        originalRecipient: [UInt8] = [],
        action: ReportedAction,
        status: EnhancedStatus,
        host: [UInt8] = [],
        reply: [UInt8] = [],
        lastAttemptAt: Int64? = nil
    ) {
        self.address = address
        self.originalRecipient = originalRecipient
        self.action = action
        self.status = status
        self.host = host
        self.reply = reply
        self.lastAttemptAt = lastAttemptAt
    }
}
