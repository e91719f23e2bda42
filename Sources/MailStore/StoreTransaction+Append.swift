// SPDX-License-Identifier: Apache-2.0
//
// Mail on its way in: chunks that go ahead, and the append that makes a message visible.

internal import MailSyntax

extension StoreTransaction {
    /// A maildrop and what it makes of a message.
    private struct Delivery {
        let account: AccountID
        let result: DeliveryResult
        let sequence: Int
    }

    func append(_ message: StoreRequest.Append) throws(StoreError) -> StoreAnswer {
        let id = MessageRow(message.id.rawValue)
        let spilled = try self.spilled(by: message)
        let ahead = message.stagedChunks * Schema.chunkOctets + message.spilledOctets
        guard message.octets == ahead + message.content.count,
            try self.hasStaged(message.stagedChunks + (message.spilledOctets > 0 ? 1 : 0), of: id),
            try self.has(spilled.count, of: message.spilledOctets, spilledBy: id)
        else { return .failed(.retryable("the parts of the message do not add up")) }
        let octets =
            message.octets
            + Schema.octetsAround(
                reversePath: message.reversePath.count,
                endsWithCRLF: message.endsWithCRLF
            )
        let deliveries = try self.judge(message.deliveries, octets)
        let results = deliveries.map(\.result)
        let delivered = results.count { $0 == .delivered }
        let queue = message.queue.flatMap { $0.recipients.isEmpty ? nil : $0 }
        guard delivered > 0 || queue != nil, message.perRecipient || delivered == results.count
        else { return try self.refuse(message, results) }
        let copies = self.distinct(deliveries)
        let references = copies.count + (queue == nil ? 0 : 1)
        guard try self.insert(message, after: spilled, copies: references) else {
            return try self.repeatAnswer(message, results)
        }
        for copy in copies { try self.deliver(id, octets, copy) }
        if let queue { try self.enqueue(message, queue) }
        return .appended(results)
    }

    /// Stores the message; false when it is there already.
    private func insert(
        _ message: StoreRequest.Append,
        after spilled: [UInt8],
        copies: Int
    ) throws(StoreError) -> Bool {
        let id = MessageRow(message.id.rawValue)
        let content = spilled.isEmpty ? message.content : spilled + message.content
        let ahead = content.count / Schema.chunkOctets
        let row = try self.database.statement(
            "INSERT OR IGNORE INTO message VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        )
        row.bind(1, id)
        row.bind(2, message.octets)
        row.bind(3, message.stagedChunks + ahead)
        row.bind(4, message.receivedAt)
        row.bind(5, message.reversePath)
        let tail = content.span.extracting((ahead * Schema.chunkOctets)...)
        try row.run(bindingInPlace: tail, at: 6)
        guard self.database.changes == 1 else { return false }
        if ahead == 0, !spilled.isEmpty {
            try self.removeChunk(Schema.chunk(id, message.stagedChunks))
        }
        for index in 0..<ahead {
            let start = index * Schema.chunkOctets
            let chunk = content.span.extracting(start..<(start + Schema.chunkOctets))
            try self.insertChunk(Schema.chunk(id, message.stagedChunks + index), chunk)
        }
        if message.isStaged { try self.forgetStaged(id) }
        if copies > 1 {
            let shared = try self.database.statement("INSERT INTO shared VALUES (?1, ?2)")
            shared.bind(1, id)
            shared.bind(2, copies)
            try shared.run()
        }
        return true
    }

    // MARK: - Judgement

    private func judge(
        _ accounts: [AccountID],
        _ octets: Int
    ) throws(StoreError) -> [Delivery] {
        var deliveries: [Delivery] = []
        deliveries.reserveCapacity(accounts.count)
        for account in accounts { deliveries.append(try self.judge(account, octets)) }
        return deliveries
    }

    private func judge(_ account: AccountID, _ octets: Int) throws(StoreError) -> Delivery {
        guard let state = try self.database.maildropState(account) else {
            return Delivery(account: account, result: .noAccount, sequence: 0)
        }
        let isOver = state.quota.map { state.octets + octets > $0 } ?? false
        // The last sequence is never given: the counter behind it could not be told to readers.
        let isWornOut = state.nextSequence >= Int(UInt32.max)
        return Delivery(
            account: account,
            result: isOver || isWornOut ? .overQuota : .delivered,
            sequence: state.nextSequence
        )
    }

    /// Each maildrop gets one copy, however often it is named.
    private func distinct(_ deliveries: [Delivery]) -> [Delivery] {
        let copies = deliveries.filter { $0.result == .delivered }
        guard copies.count > 1 else { return copies }
        var seen: Set<AccountID> = []
        return copies.filter { seen.insert($0.account).inserted }
    }

    private func refuse(
        _ message: StoreRequest.Append,
        _ results: [DeliveryResult]
    ) throws(StoreError) -> StoreAnswer {
        // A repeated message may be refused for the room that it takes itself.
        if try self.isStored(MessageRow(message.id.rawValue)) {
            return try self.repeatAnswer(message, results)
        }
        if message.isStaged { _ = try self.unstage(message.id) }
        guard !message.perRecipient else { return .appended(results) }
        // All or none: those who could have taken it did not get it.
        return .failed(results.contains(.overQuota) ? .overQuota : .gone)
    }

    /// The answer to a message that was appended before: whoever has it got it.
    private func repeatAnswer(
        _ message: StoreRequest.Append,
        _ results: [DeliveryResult]
    ) throws(StoreError) -> StoreAnswer {
        let select = try self.database.statement(
            "SELECT 1 FROM maildrop WHERE account = ?1 AND message = ?2 LIMIT 1"
        )
        var answers: [DeliveryResult] = []
        for (account, result) in zip(message.deliveries, results) {
            select.bind(1, account.rawValue)
            select.bind(2, Int64(message.id.rawValue))
            defer { select.reset() }
            let hasIt = try select.step()
            // A copy that is not there was refused, or read and deleted since; where all had to
            // get it, it was the latter.
            if hasIt || !message.perRecipient {
                answers.append(.delivered)
            } else {
                answers.append(result == .noAccount ? .noAccount : .overQuota)
            }
        }
        return .appended(answers)
    }

    private func deliver(
        _ message: MessageRow,
        _ octets: Int,
        _ copy: Delivery
    ) throws(StoreError) {
        let head = try self.database.statement(
            """
            UPDATE maildrop_head SET next_seq = ?2, count = count + 1, octets = octets + ?3
            WHERE account = ?1
            """
        )
        head.bind(1, copy.account.rawValue)
        head.bind(2, copy.sequence + 1)
        head.bind(3, octets)
        try head.run()
        let row = try self.database.statement("INSERT INTO maildrop VALUES (?1, ?2, ?3, ?4)")
        row.bind(1, copy.account.rawValue)
        row.bind(2, copy.sequence)
        row.bind(3, message)
        row.bind(4, octets)
        try row.run()
    }

    // MARK: - Chunks that go ahead

    func stage(
        _ id: MessageID,
        _ index: Int,
        _ octets: [UInt8]
    ) throws(StoreError) -> StoreAnswer {
        precondition(octets.count == Schema.chunkOctets, "staged chunks are full")
        guard index < 1 << Schema.chunkIndexBits else { return .failed(.full) }
        let message = MessageRow(id.rawValue)
        // Repeated after its append: the message is whole.
        guard try !self.isStored(message) else { return .staged }
        let staged = try self.database.statement("INSERT OR IGNORE INTO staged VALUES (?1)")
        staged.bind(1, message)
        try staged.run()
        try self.insertChunk(Schema.chunk(message, index), octets.span)
        return .staged
    }

    func spill(
        _ id: MessageID,
        _ index: Int,
        _ offset: Int,
        _ octets: [UInt8]
    ) throws(StoreError) -> StoreAnswer {
        precondition(offset + octets.count <= Schema.chunkOctets, "chunks are bounded")
        guard index < 1 << Schema.chunkIndexBits else { return .failed(.full) }
        let message = MessageRow(id.rawValue)
        guard try !self.isStored(message) else { return .staged }
        let number = Schema.chunk(message, index)
        var chunk = try self.chunk(number)
        guard chunk.count >= offset else { return .failed(.gone) }
        chunk.removeLast(chunk.count - offset)
        chunk += octets
        let staged = try self.database.statement("INSERT OR IGNORE INTO staged VALUES (?1)")
        staged.bind(1, message)
        try staged.run()
        try self.insertChunk(number, chunk.span)
        return .staged
    }

    /// What went ahead of the chunk that the rest of the message belongs to.
    private func spilled(by message: StoreRequest.Append) throws(StoreError) -> [UInt8] {
        guard message.spilledOctets > 0 else { return [] }
        let id = MessageRow(message.id.rawValue)
        let chunk = try self.chunk(Schema.chunk(id, message.stagedChunks))
        return Array(chunk.prefix(message.spilledOctets))
    }

    /// Whether as much was spilled as should have been, or the message is there already.
    private func has(
        _ found: Int,
        of count: Int,
        spilledBy message: MessageRow
    ) throws(StoreError) -> Bool {
        guard found != count else { return true }
        return try self.isStored(message)
    }

    private func chunk(_ number: Int64) throws(StoreError) -> [UInt8] {
        let select = try self.database.statement("SELECT octets FROM chunk WHERE number = ?1")
        select.bind(1, number)
        defer { select.reset() }
        return try select.step() ? select.octets(0) : []
    }

    private func removeChunk(_ number: Int64) throws(StoreError) {
        let remove = try self.database.statement("DELETE FROM chunk WHERE number = ?1")
        remove.bind(1, number)
        try remove.run()
    }

    /// Gives up what went ahead; a message that was appended stays as it is.
    func unstage(_ id: MessageID) throws(StoreError) -> StoreAnswer {
        let message = MessageRow(id.rawValue)
        let select = try self.database.statement("SELECT 1 FROM staged WHERE message = ?1")
        select.bind(1, message)
        defer { select.reset() }
        if try select.step() { self.garbage.append(.chunks(message)) }
        return .staged
    }

    private func insertChunk(_ number: Int64, _ octets: borrowing Span<UInt8>) throws(StoreError) {
        let row = try self.database.statement("INSERT OR REPLACE INTO chunk VALUES (?1, ?2)")
        row.bind(1, number)
        try row.run(bindingInPlace: octets, at: 2)
    }

    /// Whether just so many chunks went ahead, or the message is there already.
    private func hasStaged(_ count: Int, of message: MessageRow) throws(StoreError) -> Bool {
        guard count > 0 else { return true }
        let chunks = Schema.chunks(message)
        let select = try self.database.statement(
            "SELECT count(*), max(number) FROM chunk WHERE number BETWEEN ?1 AND ?2"
        )
        select.bind(1, chunks.lowerBound)
        select.bind(2, chunks.upperBound)
        defer { select.reset() }
        guard try select.step() else { return false }
        let isWhole =
            select.int(0) == count && select.int64(1) == Schema.chunk(message, count - 1)
        if isWhole { return true }
        return try self.isStored(message)
    }

    private func isStored(_ message: MessageRow) throws(StoreError) -> Bool {
        let select = try self.database.statement("SELECT 1 FROM message WHERE id = ?1")
        select.bind(1, message)
        defer { select.reset() }
        return try select.step()
    }
}

extension StoreRequest.Append {
    /// Whether anything of the message went ahead.
    var isStaged: Bool { self.stagedChunks > 0 || self.spilledOctets > 0 }
}
