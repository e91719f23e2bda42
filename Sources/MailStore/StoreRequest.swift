// SPDX-License-Identifier: Apache-2.0
//
// What the writer can be asked, and what it answers. Requests are values, so that many can wait
// and be carried out in one transaction.

package import MailSyntax

/// One change of the store.
package enum StoreRequest: Sendable {
    /// A message for some maildrops, for the queue, or for both.
    ///
    /// Appended again with the same id it is not stored again.
    package struct Append: Sendable {
        package let id: MessageID
        /// The mailbox that reports go to; empty for the null reverse-path.
        package let reversePath: [UInt8]
        /// What follows the staged chunks, of any size.
        package let content: [UInt8]
        package let stagedChunks: Int
        /// How many octets of the chunk after those went ahead.
        package let spilledOctets: Int
        /// The octets of the whole message.
        package let octets: Int
        package let endsWithCRLF: Bool
        package let deliveries: [AccountID]
        /// Whether the message is stored for those who can take it, or for all or none: then a
        /// refusal is `.failed(.overQuota)` or `.failed(.gone)`.
        package let perRecipient: Bool
        /// Seconds since 1970.
        package let receivedAt: Int64
        /// Who else gets it; the queue refuses nothing, so that a message for it alone, which has
        /// no deliveries, is stored whatever `perRecipient` says.
        package let queue: QueueSubmission?

        package init(
            id: MessageID,
            reversePath: [UInt8],
            content: [UInt8],
            stagedChunks: Int,
            spilledOctets: Int = 0,
            octets: Int,
            endsWithCRLF: Bool,
            deliveries: [AccountID],
            perRecipient: Bool,
            receivedAt: Int64,
            queue: QueueSubmission? = nil
        ) {
            self.id = id
            self.reversePath = reversePath
            self.content = content
            self.stagedChunks = stagedChunks
            self.spilledOctets = spilledOctets
            self.octets = octets
            self.endsWithCRLF = endsWithCRLF
            self.deliveries = deliveries
            self.perRecipient = perRecipient
            self.receivedAt = receivedAt
            self.queue = queue
        }
    }

    case append(Append)
    /// A chunk of 64 KiB of a large message, ahead of the append that makes it visible.
    case stage(MessageID, index: Int, [UInt8])
    /// A part of a chunk, from an offset in it on, when there is no memory for the whole of it.
    case spill(MessageID, index: Int, offset: Int, [UInt8])
    /// The message whose chunks were staged will not be appended, or was already.
    case unstage(MessageID)
    /// Removes messages from a maildrop: all of them or none.
    case delete(AccountID, incarnation: UInt64, sequences: [UInt32])
    /// Reserves a block of ids that no other process, nor a later one, will be given.
    case reserveMessageIDs(count: Int)
    case addAccount(NewAccount)
    case setPassword(Address, verifier: [UInt8], recoverableSecret: [UInt8]?)
    /// A better verifier for the same password, unless it has been changed in the meantime.
    case improveVerifier(Address, replacing: [UInt8], with: [UInt8])
    case removeAccount(Address)
    case setQuota(Address, Int?)
    case addAlias(Address, targets: [Address])
    case removeAlias(Address)

    /// What became of some attempts; answered by `.changed`.
    case settle([QueueSettlement])
    /// A destination failed as a whole: nothing of it is due before `until` (seconds since 1970).
    ///
    /// With a time that is over and no failures it rests no more. With the time of an attempt, the
    /// failure stands in the history of all that waits for the destination; it costs one row.
    /// Answered by `.changed`, also when nothing waits for the destination: then nothing is kept.
    case rest(
        destination: [UInt8],
        until: Int64,
        failures: Int,
        reason: [UInt8],
        at: Int64? = nil
    )
    /// Everything that waits for a destination is due at `now`; nil: no destination rests any more,
    /// and times of recipients stay.
    ///
    /// Answered by `.queueChanged`; asked again while that says that there is more.
    case wake(destination: [UInt8]?, now: Int64)
    /// A report and the end of the rows that it tells of, all or nothing; answered as an append.
    ///
    /// When no maildrop takes the report and it is not for the queue, the rows stay.
    case appendReport(Append, closing: QueueReportClosing)
    /// No report is due after all, or none can be given; answered by `.changed`.
    case closeReports(QueueReportClosing)
    /// Changes what a selector means, from the place after `after` on, in portions; answered by
    /// `.queueChanged`.
    case changeQueue(QueueChange, QueueSelector, after: QueuePosition?, now: Int64)
}

/// The outcome of one request, durable when it is given.
package enum StoreAnswer: Sendable {
    /// One result for each delivery, in order.
    case appended([DeliveryResult])
    case staged
    case deleted
    case reserved(first: UInt64)
    case accountAdded(AccountID)
    case changed
    /// So many recipients were changed; asked again from `next` on while it is not nil.
    case queueChanged(count: Int, next: QueuePosition?)
    case failed(StoreError)
}
