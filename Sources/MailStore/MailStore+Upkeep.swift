// SPDX-License-Identifier: Apache-2.0
//
// What the store does for itself: opening, room on the disk, the log, garbage.

extension MailStore {
    // MARK: - Opening

    /// A new connection.
    ///
    /// The log is moved into the file before anything is built on it: an earlier process may have
    /// seen a sync fail, and its pages may be in the memory of the system only.
    func open() throws(StoreError) -> Database {
        let database = try Database(
            path: StoreDirectory.database(in: self.directory.path),
            readOnly: false,
            vfs: self.options.vfs
        )
        let pages = try database.number("PRAGMA schema_version") ?? 0
        let application = try database.number("PRAGMA application_id") ?? 0
        guard pages == 0 || application == Schema.application else {
            throw .foreign("the file is a database, but not a store")
        }
        let version = try database.number("PRAGMA user_version") ?? 0
        guard version <= Schema.version else {
            throw .foreign(
                "the store has layout \(version), and this program knows \(Schema.version)"
            )
        }
        try database.execute("PRAGMA page_size = \(Database.pageOctets)")
        try database.execute("PRAGMA secure_delete = OFF")
        try database.execute("PRAGMA temp_store = MEMORY")
        try database.execute("PRAGMA synchronous = \(self.options.synchronous)")
        try database.execute("PRAGMA cache_size = -8192")
        try database.useLog()
        if version < Schema.version { try self.layOut(database, from: version) }
        try database.execute(Schema.indexes)
        if case .failed(let error) = database.checkpoint(), error != .full { throw error }
        return database
    }

    /// Makes the tables that a new file, or one of an earlier layout, does not have; all or none.
    ///
    /// A store that was full when its program was replaced can be opened all the same.
    private func layOut(_ database: Database, from version: Int) throws(StoreError) {
        let tables = (version < 1 ? Schema.tables : "") + Schema.queueTables
        let text = "BEGIN IMMEDIATE; \(tables) COMMIT"
        do throws(StoreError) {
            try database.execute(text)
        } catch {
            database.rollBack()
            guard error == .full, self.reserve.release() else { throw error }
            try database.execute(text)
        }
    }

    // MARK: - Room

    /// Whether the disk can take what the requests add to the log, and the log to the file, and
    /// still has its reserve.
    func hasRoom(for requests: [StoreRequest]) -> Bool {
        guard let database = self.database else { return false }
        let logged = database.logPages * Database.pageOctets
        guard self.reserve.isInPlace, logged < self.options.logOctetsMax else { return false }
        let added = requests.reduce(0) { $0 + ($1.needsRoom ? $1.octets : 0) }
        let growth = 2 * (logged + added)
        let free = self.directory.freeOctets
        guard free < growth else { return true }
        // Pages that are free within the files count as well; looked at only when it matters.
        let unused = (try? database.number("PRAGMA freelist_count")) ?? 0
        let fileGrowth = max(0, logged + added - unused * Database.pageOctets)
        let logGrowth = max(0, logged + added - database.logPagesMost * Database.pageOctets)
        return free >= fileGrowth + logGrowth
    }

    // MARK: - After the answers

    /// Moves the log into the file when it has grown, and removes a portion of the garbage; to be
    /// called when the answers are on their way, and again while it returns that there is more.
    package func tidy() -> Bool {
        guard let database = try? self.trustedDatabase() else { return false }
        if !self.reserve.isInPlace { self.reserve.fill(from: self.directory.freeOctets) }
        if database.logPages * Database.pageOctets >= self.options.checkpointOctets {
            self.checkpoint(database)
        }
        guard !self.garbage.isEmpty, !self.isSuspect else { return false }
        return self.sweep(database)
    }

    private func checkpoint(_ database: Database) {
        guard self.canCheckpoint else { return }
        switch database.checkpoint() {
        case .complete:
            return
        case .incomplete:
            // What was moved is taken as done by the next checkpoint, so it has to be.
            self.canCheckpoint = database.syncFile()
        case .failed(.full):
            guard self.reserve.release(), case .failed(let error) = database.checkpoint() else {
                return
            }
            self.isSuspect = error != .full
        case .failed:
            // The whole log is moved again by the connection that replaces this one.
            self.isSuspect = true
        }
    }

    /// One bounded transaction of its own; returns whether there is more to remove.
    private func sweep(_ database: Database) -> Bool {
        do throws(StoreError) {
            try database.begin()
            let transaction = StoreTransaction(database: database)
            var left = Self.sweptRowsMax
            var swept = 0
            while left > 0, swept < self.garbage.count {
                let removed = try transaction.sweep(self.garbage[swept], max: left)
                if removed < left { swept += 1 }
                left -= removed
            }
            try database.commit()
            self.garbage.removeFirst(swept)
            self.garbage += transaction.garbage
            return !self.garbage.isEmpty
        } catch {
            self.undo(error)
            return false
        }
    }

    /// So many chunks (of 64 KiB) or messages are removed at a time.
    private static let sweptRowsMax = 128

    // MARK: - After a backup was restored

    /// Makes all unique-ids new, and skips message ids: those given since the backup was made must
    /// not be given again.
    ///
    /// Clients fetch what they left on the server once more.
    package func startNewIncarnations() throws(StoreError) {
        let database = try self.trustedDatabase()
        do throws(StoreError) {
            try database.begin()
            let select = try database.statement("SELECT account FROM maildrop_head")
            var accounts: [Int64] = []
            while try select.step() { accounts.append(select.int64(0)) }
            select.reset()
            let update = try database.statement(
                "UPDATE maildrop_head SET incarnation = ?2 WHERE account = ?1"
            )
            for account in accounts {
                update.bind(1, account)
                update.bind(2, Schema.newIncarnation())
                try update.run()
            }
            try database.execute("UPDATE counter SET next = next + \(Self.skippedMessageIDs)")
            try database.commit()
        } catch {
            self.undo(error)
            throw error
        }
    }

    /// More messages than arrive between a backup and its use.
    private static let skippedMessageIDs = 1 << 36
}

extension Database {
    /// Garbage that earlier processes left.
    func abandoned() throws(StoreError) -> [StoreTransaction.Garbage] {
        var garbage: [StoreTransaction.Garbage] = []
        let staged = try self.statement("SELECT message FROM staged")
        while try staged.step() { garbage.append(.chunks(staged.int64(0))) }
        staged.reset()
        let removed = try self.statement("SELECT account FROM removed")
        while try removed.step() {
            garbage.append(.maildrop(AccountID(rawValue: removed.int64(0))))
        }
        removed.reset()
        return garbage
    }
}
