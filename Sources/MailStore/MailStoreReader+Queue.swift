// SPDX-License-Identifier: Apache-2.0
//
// Reads of the queue for deliveries and reports. Each finds its rows by an index, and gives no
// more than it was asked for.

package import MailSyntax

extension MailStoreReader {
    /// Destinations of which something is due, the longest first, but for those in `excluding`;
    /// and when the next one will be after these.
    package func dueDestinations(
        now: Int64,
        max: Int,
        excluding: Set<[UInt8]>
    ) throws(StoreError) -> (due: [DueDestination], nextAt: Int64?) {
        throw .notFound
    }

    /// The messages that are due of one destination.
    package func dueMessages(_ query: DueMessagesQuery) throws(StoreError) -> DueMessages {
        throw .notFound
    }

    /// Appends a part of the content of a queued message, as it was received.
    ///
    /// - Returns: whether the part reaches the end of the content.
    package func queuedContent(
        _ message: MessageID,
        offset: Int,
        max: Int,
        into octets: inout [UInt8]
    ) throws(StoreError) -> Bool {
        throw .notFound
    }

    /// Messages with recipients that await a report, from the one after `after` on.
    package func reportsDue(
        after: MessageID?,
        max: Int
    ) throws(StoreError) -> [QueueReportDue] {
        throw .notFound
    }

    /// Messages that expired by `now` and still have recipients that wait.
    package func expiring(
        now: Int64,
        max: Int,
        excluding: Set<MessageID>
    ) throws(StoreError) -> QueueWatchFindings {
        throw .notFound
    }

    /// Messages, not expired, of whose waiting recipients a delay may be reported by `now`.
    package func warnable(
        now: Int64,
        max: Int,
        excluding: Set<MessageID>
    ) throws(StoreError) -> QueueWatchFindings {
        throw .notFound
    }

    /// Recipients in the queue, in the order of their positions; a part may be short or empty and
    /// yet have a next.
    package func queueRows(
        _ selector: QueueSelector,
        after: QueuePosition?,
        count: Int
    ) throws(StoreError) -> QueuePage {
        throw .notFound
    }

    /// A message with up to `count` recipients after the number `after`; nil: it is not queued.
    package func queueMessage(
        _ message: MessageID,
        after: Int?,
        count: Int
    ) throws(StoreError) -> QueueDetail? {
        throw .notFound
    }
}
