// SPDX-License-Identifier: Apache-2.0
//
// What the queue costs: messages of 10 KiB with one recipient each are appended, then claimed by
// their destinations with their content, and settled as delivered.

import Glibc
import MailStore
import MailSyntax

struct QueueBenchmark {
    let store: MailStore
    let reader: MailStoreReader
    let messages: Int
    let inFlight: Int
    let destinations: Int
    private let contentOctets = 10_240
    private let now: Int64 = 1_700_000_000
    private var generator = Generator(state: 1)

    init(
        store: MailStore,
        reader: MailStoreReader,
        messages: Int,
        inFlight: Int,
        destinations: Int
    ) {
        self.store = store
        self.reader = reader
        self.messages = messages
        self.inFlight = inFlight
        self.destinations = destinations
    }

    mutating func run() throws(StoreError) {
        print("queue, destinations: \(self.destinations)")
        self.append()
        try self.deliver()
    }

    private mutating func append() {
        let block = self.store.commit([.reserveMessageIDs(count: self.messages)])
        guard case .reserved(var next) = block[0] else { return }
        let content = [UInt8](repeating: 0x61, count: self.contentOctets)
        let start = Usage.now
        var left = self.messages
        while left > 0 {
            let count = min(left, self.inFlight)
            let group = (0..<count).map { index in
                self.append(next + UInt64(index), content)
            }
            next += UInt64(count)
            for answer in self.store.commit(group) {
                guard case .appended = answer else { fatalError("\(answer)") }
            }
            _ = self.store.tidy()
            left -= count
        }
        Usage.print("append to the queue", since: start, of: self.messages)
    }

    private mutating func append(_ id: UInt64, _ content: [UInt8]) -> StoreRequest {
        let domain = "host\(self.generator.below(self.destinations)).example"
        let queue = QueueSubmission(
            options: EnvelopeOptions(),
            account: AccountID(rawValue: 1),
            expiresAt: self.now + 432_000,
            warnAt: self.now + 14_400,
            recipients: [
                QueueRecipient(
                    address: Array("recipient@\(domain)".utf8),
                    destination: Array(domain.utf8)
                )
            ]
        )
        return .append(
            StoreRequest.Append(
                id: MessageID(rawValue: id),
                reversePath: Array("sender@example.org".utf8),
                content: content,
                stagedChunks: 0,
                octets: content.count,
                endsWithCRLF: true,
                deliveries: [],
                perRecipient: false,
                receivedAt: self.now,
                queue: queue
            )
        )
    }

    /// As a sender does it: claims destination by destination, and settles in groups.
    private func deliver() throws(StoreError) {
        let start = Usage.now
        var claiming = Usage.zero
        var settled = 0
        while true {
            let due = try self.reader.dueDestinations(now: self.now, max: 100, excluding: []).due
            guard !due.isEmpty else { break }
            var settlements: [QueueSettlement] = []
            for destination in due {
                // What is claimed already would be found again.
                let claimed = Set(settlements.map(\.message))
                let before = Usage.now
                let found = try self.claim(destination.destination, excluding: claimed)
                claiming.add(since: before)
                settlements += found.map(self.settlement)
                guard settlements.count >= self.inFlight else { continue }
                self.settle(settlements)
                settled += settlements.count
                settlements = []
            }
            self.settle(settlements)
            settled += settlements.count
        }
        guard settled == self.messages else { fatalError("\(settled) messages") }
        Usage.print("claim", claiming, of: settled)
        Usage.print("claim and settle", since: start, of: settled)
    }

    private func claim(
        _ destination: [UInt8],
        excluding claimed: Set<MessageID>
    ) throws(StoreError) -> [QueuedMessage] {
        let query = DueMessagesQuery(
            destination: destination,
            now: self.now,
            messagesMax: self.inFlight,
            excluding: claimed,
            octetsMax: 8 << 20
        )
        return try self.reader.together { () throws(StoreError) in
            try self.reader.dueMessages(query).messages
        }
    }

    private func settlement(of message: QueuedMessage) -> QueueSettlement {
        guard message.content?.count == self.contentOctets else { fatalError("no content") }
        return QueueSettlement(
            message: message.id,
            recipients: message.recipients.map {
                QueueSettlement.Recipient(number: $0.number, disposition: .removed)
            },
            attempt: QueueAttempt(at: self.now, host: [], tls: [])
        )
    }

    private func settle(_ settlements: [QueueSettlement]) {
        for answer in self.store.commit(settlements.map { .settle([$0]) }) {
            guard case .changed = answer else { fatalError("\(answer)") }
        }
        _ = self.store.tidy()
    }
}
