// SPDX-License-Identifier: Apache-2.0
//
// The writer. Everything that waits is carried out in one transaction and is durable when it is
// answered. A request that cannot be carried out is refused before it has written anything, so
// that its neighbours are not harmed; a failure of the disk undoes the whole group.

internal import CSQLite

/// The store of one process, used by the thread that opened it.
package final class MailStore {
    /// How the store is kept.
    package struct Options: Sendable {
        /// Room on the disk that new mail does not get, so that mail can still be removed.
        package var reserveOctets = 16 << 20
        /// PRAGMA synchronous; anything but FULL loses mail when the power fails.
        package var synchronous = "FULL"
        /// The SQLite VFS to use; nil for the system's.
        package var vfs: String?
        /// The log is moved into the file after about so many octets.
        package var checkpointOctets = 16 << 20

        package init() {}
    }

    private let directory: StoreDirectory
    private let options: Options
    private var database: Database?
    private var octetsSinceCheckpoint = 0

    /// Opens the store in `directory`, and makes it when there is none.
    package init(directory path: String, options: Options = Options()) throws(StoreError) {
        self.directory = try StoreDirectory(path)
        self.options = options
        self.database = try self.open()
    }

    private func open() throws(StoreError) -> Database {
        let database = try Database(
            path: StoreDirectory.database(in: self.directory.path),
            readOnly: false,
            vfs: self.options.vfs
        )
        try database.execute("PRAGMA page_size = 8192")
        try database.execute("PRAGMA journal_mode = WAL")
        try database.execute("PRAGMA synchronous = \(self.options.synchronous)")
        try database.execute("PRAGMA wal_autocheckpoint = 0")
        try database.execute("PRAGMA journal_size_limit = 67108864")
        try database.execute("PRAGMA cache_size = -8192")
        let version = try database.statement("PRAGMA user_version")
        let isThere = try version.step()
        let found = isThere ? version.int(0) : 0
        version.reset()
        guard found <= Schema.version else {
            throw .foreign("the store has layout \(found), and this program knows \(Schema.version)")
        }
        if found == 0 {
            try database.execute("BEGIN IMMEDIATE; \(Schema.tables) COMMIT")
        }
        try Self.sweep(database)
        return database
    }

    /// Chunks of messages that were never appended.
    private static func sweep(_ database: Database) throws(StoreError) {
        try database.execute(
            """
            BEGIN IMMEDIATE;
            DELETE FROM content WHERE chunk IN (
                SELECT c.chunk FROM staged s JOIN content c
                ON c.chunk BETWEEN s.message << 16 AND (s.message << 16) + 65535);
            DELETE FROM staged;
            COMMIT
            """
        )
    }

    /// Nothing can be asked any more.
    package func close() {
        self.database?.checkpoint()
        self.database = nil
    }

    /// Moves the log into the file when it has grown; to be called after the answers are given.
    package func checkpointIfDue() {
        guard self.octetsSinceCheckpoint >= self.options.checkpointOctets else { return }
        self.octetsSinceCheckpoint = 0
        self.database?.checkpoint()
    }

    // MARK: - The group

    /// Carries all requests out in one transaction; what is answered is durable.
    package func commit(_ requests: [StoreRequest]) -> [StoreAnswer] {
        guard !requests.isEmpty else { return [] }
        let isLow = self.directory.hasLessRoom(than: self.options.reserveOctets)
        let answers = self.group(requests, isLow: isLow)
        // What needs no room gets a chance of its own when the disk is full.
        guard !isLow, answers.contains(where: Self.isFull), !requests.allSatisfy(\.needsRoom) else {
            return answers
        }
        return self.group(requests, isLow: true)
    }

    private static func isFull(_ answer: StoreAnswer) -> Bool {
        if case .failed(.full) = answer { return true }
        return false
    }

    private func group(_ requests: [StoreRequest], isLow: Bool) -> [StoreAnswer] {
        do throws(StoreError) {
            if self.database == nil { self.database = try self.open() }
            guard let database = self.database else { throw .retryable("no database") }
            try database.execute("BEGIN IMMEDIATE")
            let transaction = StoreTransaction(database: database)
            var answers: [StoreAnswer] = []
            answers.reserveCapacity(requests.count)
            for request in requests {
                if isLow, request.needsRoom {
                    answers.append(.failed(.full))
                } else {
                    answers.append(try transaction.carryOut(request))
                    self.octetsSinceCheckpoint += request.octets
                }
            }
            try database.execute("COMMIT")
            return answers
        } catch {
            self.undo(error)
            return requests.map { _ in .failed(error) }
        }
    }

    /// After a failed write or sync, nothing that this connection believes can be trusted.
    private func undo(_ error: StoreError) {
        guard let database = self.database else { return }
        if database.isInTransaction { try? database.execute("ROLLBACK") }
        if error != .full { self.database = nil }
    }
}

extension StoreRequest {
    /// Whether the request is refused when the disk is nearly full.
    var needsRoom: Bool {
        switch self {
        case .append, .stage, .addAccount, .addAlias: true
        case .unstage, .delete, .reserveMessageIDs, .setPassword, .improveVerifier, .removeAccount,
            .setQuota, .removeAlias:
            false
        }
    }

    /// About how much the request adds to the log.
    var octets: Int {
        switch self {
        case .append(let message): message.content.count + 4096
        case .stage(_, _, let chunk): chunk.count
        default: 4096
        }
    }
}
