// SPDX-License-Identifier: Apache-2.0
//
// Mail on its way out. What a client has deleted is gone with its transaction; the chunks of large
// messages, and the maildrop of a removed account, become garbage, which is removed in portions.

internal import MailSyntax

extension StoreTransaction {
    func delete(
        _ account: AccountID,
        _ incarnation: UInt64,
        _ sequences: [UInt32]
    ) throws(StoreError) -> StoreAnswer {
        guard let state = try self.database.maildropState(account) else { return .failed(.gone) }
        guard state.incarnation == incarnation else { return .failed(.fenced) }
        guard let copies = try self.copies(in: account, sequences) else { return .failed(.gone) }
        for copy in copies { try self.remove(copy, from: account) }
        let head = try self.database.statement(
            "UPDATE maildrop_head SET count = ?2, octets = ?3 WHERE account = ?1"
        )
        head.bind(1, account.rawValue)
        head.bind(2, state.count - copies.count)
        head.bind(3, state.octets - copies.reduce(0) { $0 + $1.octets })
        try head.run()
        return .deleted
    }

    /// A row of a maildrop.
    private struct Copy {
        let sequence: Int
        let message: MessageRow
        let octets: Int
    }

    /// The rows of those messages, each once; nil when one of them is not there.
    private func copies(
        in account: AccountID,
        _ sequences: [UInt32]
    ) throws(StoreError) -> [Copy]? {
        let isAscending = zip(sequences, sequences.dropFirst()).allSatisfy { $0 < $1 }
        let find = try self.database.statement(
            "SELECT message, octets FROM maildrop WHERE account = ?1 AND seq = ?2"
        )
        var copies: [Copy] = []
        copies.reserveCapacity(sequences.count)
        for sequence in isAscending ? sequences : Set(sequences).sorted() {
            find.bind(1, account.rawValue)
            find.bind(2, Int(sequence))
            defer { find.reset() }
            guard try find.step() else { return nil }
            copies.append(
                Copy(sequence: Int(sequence), message: find.int64(0), octets: find.int(1))
            )
        }
        return copies
    }

    private func remove(_ copy: Copy, from account: AccountID) throws(StoreError) {
        let remove = try self.database.statement(
            "DELETE FROM maildrop WHERE account = ?1 AND seq = ?2"
        )
        remove.bind(1, account.rawValue)
        remove.bind(2, copy.sequence)
        try remove.run()
        try self.forgetCopy(of: copy.message, octets: copy.octets)
    }

    /// A maildrop, or the queue, has the message no more; it goes with the last of them.
    func forgetCopy(of message: MessageRow, octets: Int) throws(StoreError) {
        guard try self.isLastCopy(of: message) else { return }
        // Only what is as large as a chunk can have any.
        if octets >= Schema.chunkOctets { try self.leaveChunks(of: message) }
        let row = try self.database.statement("DELETE FROM message WHERE id = ?1")
        row.bind(1, message)
        try row.run()
    }

    /// One copy less; true when there is none any more.
    private func isLastCopy(of message: MessageRow) throws(StoreError) -> Bool {
        let select = try self.database.statement("SELECT refs FROM shared WHERE message = ?1")
        select.bind(1, message)
        let copies = try select.step() ? select.int(0) : 1
        select.reset()
        guard copies > 1 else { return true }
        let change = try self.database.statement(
            copies > 2
                ? "UPDATE shared SET refs = refs - 1 WHERE message = ?1"
                : "DELETE FROM shared WHERE message = ?1"
        )
        change.bind(1, message)
        try change.run()
        return false
    }

    /// The chunks of a message become garbage.
    private func leaveChunks(of message: MessageRow) throws(StoreError) {
        let select = try self.database.statement("SELECT chunks FROM message WHERE id = ?1")
        select.bind(1, message)
        let chunks = try select.step() ? select.int(0) : 0
        select.reset()
        guard chunks > 0 else { return }
        let staged = try self.database.statement("INSERT OR IGNORE INTO staged VALUES (?1)")
        staged.bind(1, message)
        try staged.run()
        self.garbage.append(.chunks(message))
    }

    func forgetStaged(_ message: MessageRow) throws(StoreError) {
        let staged = try self.database.statement("DELETE FROM staged WHERE message = ?1")
        staged.bind(1, message)
        try staged.run()
    }
}

// MARK: - Garbage

extension StoreTransaction {
    /// Removes up to `max` rows; returns how many, fewer than `max` when none is left.
    func sweep(_ garbage: Garbage, max: Int) throws(StoreError) -> Int {
        switch garbage {
        case .chunks(let message): try self.sweep(message, max: max)
        case .maildrop(let account): try self.sweep(account, max: max)
        }
    }

    private func sweep(_ message: MessageRow, max: Int) throws(StoreError) -> Int {
        let chunks = Schema.chunks(message)
        let remove = try self.database.statement(
            """
            DELETE FROM chunk WHERE number IN (
                SELECT number FROM chunk WHERE number BETWEEN ?1 AND ?2 LIMIT ?3)
            """
        )
        remove.bind(1, chunks.lowerBound)
        remove.bind(2, chunks.upperBound)
        remove.bind(3, max)
        try remove.run()
        let removed = self.database.changes
        if removed < max { try self.forgetStaged(message) }
        return removed
    }

    private func sweep(_ account: AccountID, max: Int) throws(StoreError) -> Int {
        let select = try self.database.statement(
            "SELECT seq, message, octets FROM maildrop WHERE account = ?1 LIMIT ?2"
        )
        select.bind(1, account.rawValue)
        select.bind(2, max)
        var copies: [Copy] = []
        while try select.step() {
            copies.append(
                Copy(sequence: select.int(0), message: select.int64(1), octets: select.int(2))
            )
        }
        select.reset()
        for copy in copies { try self.remove(copy, from: account) }
        if copies.count < max {
            let removed = try self.database.statement("DELETE FROM removed WHERE account = ?1")
            removed.bind(1, account.rawValue)
            try removed.run()
        }
        return copies.count
    }
}
