// SPDX-License-Identifier: Apache-2.0
//
// What a report tells of a recipient (RFC 3464, section 2.3.3).

/// What was done for a recipient.
package enum ReportedAction: String, Hashable, CaseIterable, Sendable {
    /// It was not delivered, and will not be.
    case failed
    /// It was not delivered yet, and is tried on.
    case delayed
    /// It is in the recipient's maildrop.
    case delivered
    /// It went on to a server that does not report success itself.
    case relayed
}
