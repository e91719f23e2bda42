// SPDX-License-Identifier: Apache-2.0
//
// The reader: a connection of its own, so that reads do not wait behind commits. Nothing is held
// open between two calls, because an open cursor would keep the log from being moved.

package import MailSyntax

/// Reads of a store, used by the thread that opened it.
package final class MailStoreReader {
    let database: Database

    /// Opens the store in `directory`, which a `MailStore` has made.
    package init(directory: String, vfs: String? = nil) throws(StoreError) {
        self.database = try Database(
            path: StoreDirectory.database(in: directory),
            readOnly: true,
            vfs: vfs
        )
        try self.database.execute("PRAGMA cache_size = -\(Self.cacheKibioctets)")
    }

    /// Enough for the upper pages of every table and what one read touches.
    ///
    /// Content is seldom read twice, and a cache larger than the processor's means that each page
    /// is read into memory that has gone cold.
    private static let cacheKibioctets = 1024

    // MARK: - Addresses

    /// What an address is, exactly as it stands.
    package func resolve(_ address: Address) throws(StoreError) -> AddressEntry {
        if let account = try self.account(address) { return .account(account) }
        if let targets = try self.database.aliasTargets(of: address) { return .alias(targets) }
        return .none
    }

    /// The account of an address.
    package func account(_ address: Address) throws(StoreError) -> AccountRecord? {
        let select = try self.database.statement(
            """
            SELECT a.id, a.verifier, a.secret, h.quota FROM account a
            JOIN maildrop_head h ON h.account = a.id WHERE a.address = ?1
            """
        )
        select.bind(1, address.octets)
        defer { select.reset() }
        guard try select.step() else { return nil }
        return AccountRecord(
            id: AccountID(rawValue: select.int64(0)),
            address: address,
            verifier: select.octets(1),
            recoverableSecret: select.optionalOctets(2),
            quota: select.optionalInt(3)
        )
    }

    /// Which kinds of accounts there are now.
    ///
    /// Verifiers are opaque here, but for the mark of an imported hash: `1 {CRYPT}`.
    package func accountKinds() throws(StoreError) -> AccountKinds {
        AccountKinds(
            hasImportedHash: try self.isThereAny(
                """
                SELECT 1 FROM account WHERE substr(verifier, 1, 9) = x'31207b43525950547d' LIMIT 1
                """
            ),
            hasRecoverableSecret: try self.isThereAny(
                "SELECT 1 FROM account WHERE secret IS NOT NULL LIMIT 1"
            )
        )
    }

    private func isThereAny(_ query: StaticString) throws(StoreError) -> Bool {
        let select = try self.database.statement(query)
        defer { select.reset() }
        return try select.step()
    }

    /// Accounts in the order of their addresses, from the one after `after` on.
    package func accounts(
        after: Address?,
        count: Int
    ) throws(StoreError) -> [AccountSummary] {
        let select = try self.database.statement(
            """
            SELECT a.address, h.quota, a.secret IS NOT NULL, h.count, h.octets FROM account a
            JOIN maildrop_head h ON h.account = a.id WHERE a.address > ?1
            ORDER BY a.address LIMIT ?2
            """
        )
        select.bind(1, after?.octets ?? [])
        select.bind(2, count)
        defer { select.reset() }
        var accounts: [AccountSummary] = []
        while try select.step() {
            guard let address = select.address(0) else { continue }
            accounts.append(
                AccountSummary(
                    address: address,
                    quota: select.optionalInt(1),
                    hasRecoverableSecret: select.int(2) == 1,
                    messages: select.int(3),
                    octets: select.int(4)
                )
            )
        }
        return accounts
    }

    /// Aliases in the order of their addresses, from the one after `after` on.
    package func aliases(after: Address?, count: Int) throws(StoreError) -> [AliasSummary] {
        let select = try self.database.statement(
            "SELECT address, targets FROM alias WHERE address > ?1 ORDER BY address LIMIT ?2"
        )
        select.bind(1, after?.octets ?? [])
        select.bind(2, count)
        defer { select.reset() }
        var aliases: [AliasSummary] = []
        while try select.step() {
            guard let address = select.address(0) else { continue }
            aliases.append(AliasSummary(address: address, targets: select.addresses(1)))
        }
        return aliases
    }

    // MARK: - Maildrops

    /// The counters of a maildrop.
    package func maildropHead(_ account: AccountID) throws(StoreError) -> MaildropHead {
        guard let state = try self.database.maildropState(account) else { throw .gone }
        return MaildropHead(
            incarnation: state.incarnation,
            count: state.count,
            octets: state.octets,
            nextSequence: UInt32(state.nextSequence)
        )
    }

    /// The messages of a maildrop with sequences below `end`, in order.
    package func listing(
        _ account: AccountID,
        below end: UInt32
    ) throws(StoreError) -> [MaildropEntry] {
        let select = try self.database.statement(
            "SELECT seq, octets FROM maildrop WHERE account = ?1 AND seq < ?2 ORDER BY seq"
        )
        select.bind(1, account.rawValue)
        select.bind(2, Int(end))
        defer { select.reset() }
        var entries: [MaildropEntry] = []
        while try select.step() {
            entries.append(
                MaildropEntry(sequence: UInt32(select.int(0)), octets: select.int(1))
            )
        }
        return entries
    }

    /// Appends a part of a message as it is delivered, unless its account has been removed, whose
    /// messages go little by little: Return-Path, content, and a CRLF when the
    /// content does not end in one.
    ///
    /// - Returns: whether the part reaches the end of the message.
    package func read(
        _ account: AccountID,
        sequence: UInt32,
        offset: Int,
        max: Int,
        into octets: inout [UInt8]
    ) throws(StoreError) -> Bool {
        let select = try self.database.statement(
            """
            SELECT d.octets, m.id, m.octets, m.chunks, m.reverse_path, m.tail
            FROM maildrop_head h CROSS JOIN maildrop d CROSS JOIN message m
            WHERE h.account = ?1 AND d.account = ?1 AND d.seq = ?2 AND m.id = d.message
            """
        )
        select.bind(1, account.rawValue)
        select.bind(2, Int(sequence))
        defer { select.reset() }
        guard try select.step() else { throw .gone }
        return try self.append(select, from: offset, max: max, to: &octets)
    }

    /// Appends messages whole, as `read` gives them, in one pass over the maildrop.
    ///
    /// `sequences` ascend. The pass ends before the first message that is not there, or that would
    /// make all of them larger than `octetsMax`.
    ///
    /// - Returns: how many were appended, and where each of them ends in `octets`.
    package func readWhole(
        _ account: AccountID,
        sequences: [UInt32],
        octetsMax: Int,
        into octets: inout [UInt8]
    ) throws(StoreError) -> [Int] {
        guard let first = sequences.first, let last = sequences.last else { return [] }
        let select = try self.database.statement(
            """
            SELECT d.octets, m.id, m.octets, m.chunks, m.reverse_path, m.tail, d.seq
            FROM maildrop_head h CROSS JOIN maildrop d CROSS JOIN message m
            WHERE h.account = ?1 AND d.account = ?1 AND d.seq BETWEEN ?2 AND ?3
            AND m.id = d.message ORDER BY d.seq
            """
        )
        select.bind(1, account.rawValue)
        select.bind(2, Int(first))
        select.bind(3, Int(last))
        defer { select.reset() }
        var ends: [Int] = []
        ends.reserveCapacity(sequences.count)
        var room = octetsMax
        while ends.count < sequences.count, try select.step() {
            let sequence = sequences[ends.count]
            // A message that nobody wants may stand between those that are wanted.
            if select.int(6) < Int(sequence) { continue }
            guard select.int(6) == Int(sequence), select.int(0) <= room else { break }
            _ = try self.append(select, from: 0, max: room, to: &octets)
            room -= select.int(0)
            ends.append(octets.count)
        }
        return ends
    }

    /// Appends a part of the message in the current row of `select`; whether it reaches the end.
    private func append(
        _ select: Statement,
        from offset: Int,
        max: Int,
        to octets: inout [UInt8]
    ) throws(StoreError) -> Bool {
        let total = select.int(0)
        let end = offset + min(max, Swift.max(total - offset, 0))
        octets.reserveCapacity(octets.count + end - offset)
        let returnPathEnd = Schema.returnPathOctets(select.octetCount(4))
        if offset < returnPathEnd {
            let start = octets.count
            Schema.appendReturnPath(select, 4, to: &octets)
            octets.removeLast(Swift.max(returnPathEnd - end, 0))
            octets.removeSubrange(start..<(start + offset))
        }
        let contentEnd = returnPathEnd + select.int(2)
        let place = ContentPlace(
            message: select.int64(1),
            chunks: select.int(3),
            tail: (select, 5)
        )
        try self.appendContent(
            of: place,
            from: Swift.max(offset - returnPathEnd, 0),
            to: min(end, contentEnd) - returnPathEnd,
            into: &octets
        )
        if end > contentEnd {
            let lineEnd: [UInt8] = [0x0d, 0x0a]
            octets += lineEnd[(Swift.max(offset, contentEnd) - contentEnd)..<(end - contentEnd)]
        }
        return end >= total
    }

    /// Where the content of a message stands.
    struct ContentPlace {
        let message: MessageRow
        let chunks: Int
        /// A column of a current row.
        let tail: (row: Statement, column: Int32)
    }

    /// Appends a part of a content.
    func appendContent(
        of place: ContentPlace,
        from start: Int,
        to end: Int,
        into octets: inout [UInt8]
    ) throws(StoreError) {
        let chunksEnd = place.chunks * Schema.chunkOctets
        var position = start
        while position < min(end, chunksEnd) {
            let chunk = try self.database.statement("SELECT octets FROM chunk WHERE number = ?1")
            chunk.bind(1, Schema.chunk(place.message, position / Schema.chunkOctets))
            defer { chunk.reset() }
            let skipped = position % Schema.chunkOctets
            guard try chunk.step() else { throw .gone }
            let wanted = min(end - position, Schema.chunkOctets - skipped)
            guard chunk.appendOctets(0, skipping: skipped, max: wanted, to: &octets) == wanted
            else { throw .retryable("a chunk is too short") }
            position += wanted
        }
        guard position < end else { return }
        let wanted = end - position
        let skipped = position - chunksEnd
        let (row, column) = place.tail
        guard row.appendOctets(column, skipping: skipped, max: wanted, to: &octets) == wanted
        else { throw .retryable("the end of a message is too short") }
    }

    // MARK: - Several reads

    /// Lets several reads see one state of the store, which costs less than each by itself.
    ///
    /// It must be over soon, because the log grows meanwhile.
    package func together<Result>(
        _ reads: () throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try self.database.statement("BEGIN").run()
        defer { self.database.rollBack() }
        return try reads()
    }
}
