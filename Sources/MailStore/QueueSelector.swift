// SPDX-License-Identifier: Apache-2.0
//
// Which recipients of the queue an operator, or a site that fetches its mail, means.

package import MailSyntax

/// Recipients in the queue to which all conditions apply that are not nil.
///
/// Empty: all of them.
package struct QueueSelector: Hashable, Sendable {
    package var message: MessageID?
    /// The destination, in lower case.
    package var destination: [UInt8]?
    /// The reverse-path, compared without regard to the case of ASCII letters; empty: the null
    /// one.
    package var sender: [UInt8]?
    /// The recipient's mailbox, compared likewise.
    package var recipient: [UInt8]?
    /// Messages that were queued at or before that second since 1970.
    package var queuedUntil: Int64?
    /// Recipients in that state.
    package var state: QueueState?

    package init() {}
}

/// The state of a recipient in the queue.
package enum QueueState: UInt8, Hashable, Sendable {
    /// To be tried from some time on.
    case waiting = 0
    /// Not tried, and not expired, until it is released.
    case held = 1
    // What awaits a report has the raw value of its `QueueOutcome`.
    case failed = 2
    case delivered = 3
    case relayed = 4
    case expanded = 5
}

/// A place in the order in which the queue is listed: by message, then by recipient.
package struct QueuePosition: Hashable, BitwiseCopyable, Sendable {
    package let message: MessageID
    package let number: Int

    package init(message: MessageID, number: Int) {
        self.message = message
        self.number = number
    }
}

/// What an operator does to a part of the queue.
package enum QueueChange: Hashable, Sendable {
    /// Waiting recipients are tried no more, and do not expire.
    case hold
    /// Held recipients are tried again from now on.
    case release
    /// Waiting recipients are due now, and their destinations do not rest.
    case retry
    /// Waiting and held recipients go, without a word or with the report of a failure.
    case remove(reporting: Bool)
}
