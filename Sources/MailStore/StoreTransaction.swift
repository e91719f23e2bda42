// SPDX-License-Identifier: Apache-2.0
//
// One request at a time inside a transaction. Each is judged first and written then: a refusal
// leaves nothing behind, and what is thrown ends the whole transaction.

internal import MailSyntax

/// The statements that carry requests out.
struct StoreTransaction {
    let database: Database

    /// Aliases are followed so far when a circle is looked for.
    private static let aliasVisitsMax = 10_000

    func carryOut(_ request: StoreRequest) throws(StoreError) -> StoreAnswer {
        switch request {
        case .append(let message): try self.append(message)
        case .stage(let id, let offset, let octets): try self.stage(id, offset, octets)
        case .unstage(let id): try self.unstage(id)
        case .delete(let account, let incarnation, let sequences):
            try self.delete(account, incarnation, sequences)
        case .reserveMessageIDs(let count): try self.reserveMessageIDs(count)
        case .addAccount(let account): try self.addAccount(account)
        case .setPassword(let address, let verifier, let secret):
            try self.setPassword(address, verifier, secret)
        case .improveVerifier(let address, let old, let new):
            try self.improveVerifier(address, old, new)
        case .removeAccount(let address): try self.removeAccount(address)
        case .setQuota(let address, let quota): try self.setQuota(address, quota)
        case .addAlias(let address, let targets): try self.addAlias(address, targets)
        case .removeAlias(let address): try self.removeAlias(address)
        }
    }

    // MARK: - Messages

    private func append(_ message: StoreRequest.Append) throws(StoreError) -> StoreAnswer {
        let octets =
            message.octets
            + Schema.octetsAround(
                reversePath: message.reversePath.count,
                endsWithCRLF: message.endsWithCRLF
            )
        var results: [DeliveryResult] = []
        results.reserveCapacity(message.deliveries.count)
        for account in message.deliveries { results.append(try self.judge(account, octets)) }
        let delivered = results.count { $0 == .delivered }
        guard delivered > 0, message.perRecipient || delivered == results.count else {
            if message.stagedOctets > 0 { _ = try self.unstage(message.id) }
            // All or none: those who could have taken it did not get it.
            let isOver = results.contains(.overQuota)
            return message.perRecipient
                ? .appended(results) : .failed(isOver ? .overQuota : .gone)
        }
        if !message.content.isEmpty || message.stagedOctets == 0 {
            guard try self.write(message.content, at: message.stagedOctets, of: message.id) else {
                throw .retryable("staged content went missing")
            }
        }
        let chunks = (message.octets + StoreLayout.chunkOctets - 1) / StoreLayout.chunkOctets
        if message.stagedOctets > 0 { try self.forgetStaged(message.id) }
        let row = try self.database.statement(
            "INSERT INTO message VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
        row.bind(1, Int64(message.id.rawValue))
        row.bind(2, message.octets)
        row.bind(3, max(chunks, 1))
        row.bind(4, message.endsWithCRLF ? 1 : 0)
        row.bind(5, delivered)
        row.bind(6, message.receivedAt)
        try row.run(bindingInPlace: message.reversePath, at: 7)
        for (account, result) in zip(message.deliveries, results) where result == .delivered {
            try self.deliver(message.id, octets, to: account)
        }
        return .appended(results)
    }

    private func judge(_ account: AccountID, _ octets: Int) throws(StoreError) -> DeliveryResult {
        let select = try self.database.statement(
            """
            SELECT a.quota, h.octets FROM maildrop_head h JOIN account a ON a.id = h.account
            WHERE h.account = ?1
            """
        )
        select.bind(1, account.rawValue)
        defer { select.reset() }
        guard try select.step() else { return .noAccount }
        guard !select.isNull(0) else { return .delivered }
        return select.int(1) + octets > select.int(0) ? .overQuota : .delivered
    }

    private func deliver(
        _ message: MessageID,
        _ octets: Int,
        to account: AccountID
    ) throws(StoreError) {
        let head = try self.database.statement(
            """
            UPDATE maildrop_head SET next_seq = next_seq + 1, count = count + 1,
            octets = octets + ?2 WHERE account = ?1 RETURNING next_seq - 1
            """
        )
        head.bind(1, account.rawValue)
        head.bind(2, octets)
        guard try head.step() else {
            head.reset()
            throw .retryable("a maildrop without a head")
        }
        let sequence = head.int(0)
        _ = try head.step()
        head.reset()
        let row = try self.database.statement("INSERT INTO maildrop VALUES (?1, ?2, ?3, ?4)")
        row.bind(1, account.rawValue)
        row.bind(2, sequence)
        row.bind(3, Int64(message.rawValue))
        row.bind(4, octets)
        try row.run()
    }

    private func stage(
        _ id: MessageID,
        _ offset: Int,
        _ octets: [UInt8]
    ) throws(StoreError) -> StoreAnswer {
        precondition(!octets.isEmpty, "something is staged")
        precondition(
            offset >> Self.messageOctetsBits == 0,
            "a message has a bounded number of chunks"
        )
        // Every time, because the first octets may have been refused.
        let staged = try self.database.statement("INSERT OR IGNORE INTO staged VALUES (?1)")
        staged.bind(1, Int64(id.rawValue))
        try staged.run()
        return try self.write(octets, at: offset, of: id) ? .staged : .failed(.gone)
    }

    private static let messageOctetsBits = 32

    /// Writes octets that follow those before `offset`: into a chunk of their own, or at the end of
    /// one that was begun; false when there is none.
    private func write(
        _ octets: [UInt8],
        at offset: Int,
        of id: MessageID
    ) throws(StoreError) -> Bool {
        let (index, begun) = offset.quotientAndRemainder(dividingBy: StoreLayout.chunkOctets)
        precondition(begun + octets.count <= StoreLayout.chunkOctets, "chunks are bounded")
        // SQLite calls a concatenation text, whatever it is made of.
        let content = try self.database.statement(
            begun == 0
                ? "INSERT INTO content VALUES (?1, ?2)"
                : "UPDATE content SET octets = CAST(octets || ?2 AS BLOB) WHERE chunk = ?1"
        )
        content.bind(1, Schema.chunk(id.rawValue, index))
        try content.run(bindingInPlace: octets, at: 2)
        return self.database.changes == 1
    }

    private func unstage(_ id: MessageID) throws(StoreError) -> StoreAnswer {
        try self.removeContent(of: id)
        try self.forgetStaged(id)
        return .staged
    }

    private func forgetStaged(_ id: MessageID) throws(StoreError) {
        let staged = try self.database.statement("DELETE FROM staged WHERE message = ?1")
        staged.bind(1, Int64(id.rawValue))
        try staged.run()
    }

    private func removeContent(of id: MessageID) throws(StoreError) {
        let content = try self.database.statement(
            "DELETE FROM content WHERE chunk BETWEEN ?1 AND ?2")
        content.bind(1, Schema.chunk(id.rawValue, 0))
        content.bind(2, Schema.chunk(id.rawValue + 1, 0) - 1)
        try content.run()
    }

    private func delete(
        _ account: AccountID,
        _ incarnation: UInt64,
        _ sequences: [UInt32]
    ) throws(StoreError) -> StoreAnswer {
        guard let head = try self.head(of: account) else { return .failed(.gone) }
        guard head.incarnation == incarnation else { return .failed(.fenced) }
        let find = try self.database.statement(
            "SELECT message, octets FROM maildrop WHERE account = ?1 AND seq = ?2")
        var found: [(sequence: UInt32, message: Int64, octets: Int)] = []
        found.reserveCapacity(sequences.count)
        for sequence in sequences {
            find.bind(1, account.rawValue)
            find.bind(2, Int(sequence))
            guard try find.step() else {
                find.reset()
                return .failed(.gone)
            }
            found.append((sequence, Int64(find.int(0)), find.int(1)))
            find.reset()
        }
        let remove = try self.database.statement(
            "DELETE FROM maildrop WHERE account = ?1 AND seq = ?2")
        var octets = 0
        for row in found {
            remove.bind(1, account.rawValue)
            remove.bind(2, Int(row.sequence))
            try remove.run()
            try self.release(row.message)
            octets += row.octets
        }
        let update = try self.database.statement(
            """
            UPDATE maildrop_head SET count = count - ?2, octets = octets - ?3 WHERE account = ?1
            """
        )
        update.bind(1, account.rawValue)
        update.bind(2, found.count)
        update.bind(3, octets)
        try update.run()
        return .deleted
    }

    /// One reference less; a message that nobody refers to goes away.
    private func release(_ message: Int64) throws(StoreError) {
        let select = try self.database.statement("SELECT refs FROM message WHERE id = ?1")
        select.bind(1, message)
        let isThere = try select.step()
        let references = isThere ? select.int(0) : 0
        select.reset()
        if references > 1 {
            let update = try self.database.statement(
                "UPDATE message SET refs = refs - 1 WHERE id = ?1")
            update.bind(1, message)
            try update.run()
        } else {
            try self.removeContent(of: MessageID(rawValue: UInt64(message)))
            let remove = try self.database.statement("DELETE FROM message WHERE id = ?1")
            remove.bind(1, message)
            try remove.run()
        }
    }

    private func head(of account: AccountID) throws(StoreError) -> MaildropHead? {
        let select = try self.database.statement(MaildropHead.query)
        select.bind(1, account.rawValue)
        defer { select.reset() }
        return try select.step() ? MaildropHead(select) : nil
    }

    private func reserveMessageIDs(_ count: Int) throws(StoreError) -> StoreAnswer {
        let update = try self.database.statement(
            "UPDATE counter SET next = next + ?1 WHERE name = 'message' RETURNING next - ?1")
        update.bind(1, count)
        guard try update.step() else {
            update.reset()
            throw .foreign("the store has no counter")
        }
        let first = update.int(0)
        _ = try update.step()
        update.reset()
        return .reserved(first: UInt64(first))
    }

    // MARK: - Accounts

    private func isTaken(_ address: Address) throws(StoreError) -> Bool {
        let select = try self.database.statement(
            """
            SELECT 1 FROM account WHERE address = ?1 UNION ALL
            SELECT 1 FROM alias WHERE address = ?1
            """
        )
        select.bind(1, address.octets)
        defer { select.reset() }
        return try select.step()
    }

    private func addAccount(_ account: NewAccount) throws(StoreError) -> StoreAnswer {
        if try self.isTaken(account.address) { return .failed(.exists) }
        let row = try self.database.statement(
            "INSERT INTO account (address, verifier, secret, quota) VALUES (?1, ?2, ?3, ?4)")
        row.bind(1, account.address.octets)
        row.bind(2, account.verifier)
        row.bind(3, account.recoverableSecret)
        row.bind(4, account.quota)
        try row.run()
        let id = self.database.lastInsertedRow
        let head = try self.database.statement(
            "INSERT INTO maildrop_head VALUES (?1, random() & 1099511627775, 1, 0, 0)")
        head.bind(1, id)
        try head.run()
        return .accountAdded(AccountID(rawValue: id))
    }

    private func setPassword(
        _ address: Address,
        _ verifier: [UInt8],
        _ secret: [UInt8]?
    ) throws(StoreError) -> StoreAnswer {
        let update = try self.database.statement(
            "UPDATE account SET verifier = ?1, secret = ?3 WHERE address = ?2")
        update.bind(1, verifier)
        update.bind(2, address.octets)
        update.bind(3, secret)
        try update.run()
        return self.database.changes == 1 ? .changed : .failed(.notFound)
    }

    private func improveVerifier(
        _ address: Address,
        _ old: [UInt8],
        _ new: [UInt8]
    ) throws(StoreError) -> StoreAnswer {
        let update = try self.database.statement(
            "UPDATE account SET verifier = ?1 WHERE address = ?2 AND verifier = ?3")
        update.bind(1, new)
        update.bind(2, address.octets)
        update.bind(3, old)
        try update.run()
        return self.database.changes == 1 ? .changed : .failed(.notFound)
    }

    private func setQuota(_ address: Address, _ quota: Int?) throws(StoreError) -> StoreAnswer {
        let update = try self.database.statement("UPDATE account SET quota = ?1 WHERE address = ?2")
        update.bind(1, quota)
        update.bind(2, address.octets)
        try update.run()
        return self.database.changes == 1 ? .changed : .failed(.notFound)
    }

    private func removeAccount(_ address: Address) throws(StoreError) -> StoreAnswer {
        let select = try self.database.statement("SELECT id FROM account WHERE address = ?1")
        select.bind(1, address.octets)
        let isThere = try select.step()
        let id = isThere ? Int64(select.int(0)) : 0
        select.reset()
        guard isThere else { return .failed(.notFound) }
        let messages = try self.database.statement("SELECT message FROM maildrop WHERE account = ?1")
        messages.bind(1, id)
        var found: [Int64] = []
        while try messages.step() { found.append(Int64(messages.int(0))) }
        messages.reset()
        for message in found { try self.release(message) }
        for text: StaticString in [
            "DELETE FROM maildrop WHERE account = ?1",
            "DELETE FROM maildrop_head WHERE account = ?1",
            "DELETE FROM account WHERE id = ?1",
        ] {
            let remove = try self.database.statement(text)
            remove.bind(1, id)
            try remove.run()
        }
        return .changed
    }

    // MARK: - Aliases

    private func addAlias(
        _ address: Address,
        _ targets: [Address]
    ) throws(StoreError) -> StoreAnswer {
        if try self.isTaken(address) { return .failed(.exists) }
        guard !targets.isEmpty else { return .failed(.notFound) }
        var waiting = targets
        var seen: Set<Address> = []
        while let next = waiting.popLast() {
            guard next != address, seen.count < Self.aliasVisitsMax else {
                return .failed(.aliasLoop)
            }
            guard seen.insert(next).inserted else { continue }
            waiting += try self.database.aliasTargets(of: next) ?? []
        }
        let row = try self.database.statement("INSERT INTO alias VALUES (?1, ?2)")
        row.bind(1, address.octets)
        row.bind(2, Array(targets.map(\.octets).joined(separator: [0x0a])))
        try row.run()
        return .changed
    }

    private func removeAlias(_ address: Address) throws(StoreError) -> StoreAnswer {
        let remove = try self.database.statement("DELETE FROM alias WHERE address = ?1")
        remove.bind(1, address.octets)
        try remove.run()
        return self.database.changes == 1 ? .changed : .failed(.notFound)
    }
}

extension Database {
    /// Where an alias leads; nil when there is none.
    func aliasTargets(of address: Address) throws(StoreError) -> [Address]? {
        let select = try self.statement("SELECT targets FROM alias WHERE address = ?1")
        select.bind(1, address.octets)
        defer { select.reset() }
        guard try select.step() else { return nil }
        return select.addresses(0)
    }
}

extension Statement {
    /// A column with addresses, a line feed between them.
    func addresses(_ column: Int32) -> [Address] {
        self.octets(column).split(separator: 0x0a).compactMap { Address(canonical: Array($0)) }
    }
}

extension MaildropHead {
    static let query: StaticString = """
        SELECT incarnation, next_seq, count, octets FROM maildrop_head WHERE account = ?1
        """

    init(_ row: Statement) {
        self.init(
            incarnation: UInt64(row.int(0)),
            count: row.int(2),
            octets: row.int(3),
            nextSequence: UInt32(row.int(1))
        )
    }
}
