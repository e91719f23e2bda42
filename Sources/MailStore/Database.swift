// SPDX-License-Identifier: Apache-2.0
//
// One SQLite connection and its prepared statements; together with Statement.swift the only place
// that sees SQLite's handles.

internal import CSQLite

/// A connection, used by one thread.
@safe
final class Database {
    /// What became of a checkpoint.
    enum Checkpoint {
        /// The log can be written from its beginning again.
        case complete
        /// Readers kept a part of the log from being moved.
        case incomplete
        case failed(StoreError)
    }

    private let handle: OpaquePointer
    private let frames: UnsafeMutablePointer<csqlite_frames>
    private var statements: [StatementKey: Statement] = [:]

    /// Whether the last failure lay in what was asked, so that it would fail again while other
    /// requests would not.
    private(set) var isRequestAtFault = false

    /// Statements are kept by the address of their text.
    private struct StatementKey: Hashable {
        let address: UInt

        init(_ text: StaticString) {
            self.address = unsafe UInt(bitPattern: text.utf8Start)
        }
    }

    /// So long a statement waits for another process, which can only be somebody who looks into
    /// the file by hand.
    private static let busyMillisecondsMax: Int32 = 10_000

    /// Whether SQLite has been told not to count its memory, which takes a lock at each allocation.
    private static let isConfigured = csqlite_count_no_memory() == SQLITE_OK

    init(path: String, readOnly: Bool, vfs: String?) throws(StoreError) {
        _ = Self.isConfigured
        var handle: OpaquePointer?
        let flags =
            (readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
            | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code =
            unsafe vfs.map { unsafe sqlite3_open_v2(path, &handle, flags, $0) }
            ?? sqlite3_open_v2(path, &handle, flags, nil)
        guard code == SQLITE_OK, let handle = unsafe handle else {
            let reason = unsafe String(cString: sqlite3_errstr(code))
            unsafe sqlite3_close_v2(handle)
            throw Self.error(code, "cannot open \(path): \(reason)")
        }
        unsafe self.handle = handle
        unsafe self.frames = .allocate(capacity: 1)
        unsafe self.frames.initialize(to: csqlite_frames(now: 0, most: 0))
        unsafe sqlite3_busy_timeout(handle, Self.busyMillisecondsMax)
        // Only a close that says so may touch the file: after a failure it must stay as it is.
        unsafe _ = csqlite_checkpoint_on_close(handle, 0)
    }

    deinit {
        self.statements = [:]
        unsafe sqlite3_close_v2(self.handle)
        unsafe self.frames.deallocate()
    }

    /// Runs statements that give nothing back.
    func execute(_ text: String) throws(StoreError) {
        let code = unsafe sqlite3_exec(self.handle, text, nil, nil, nil)
        guard code == SQLITE_OK else { throw self.error(code) }
    }

    /// A prepared statement, from the first use on.
    func statement(_ text: StaticString) throws(StoreError) -> Statement {
        let key = StatementKey(text)
        if let statement = self.statements[key] { return statement }
        var handle: OpaquePointer?
        let code = text.withUTF8Buffer { octets in
            unsafe octets.withMemoryRebound(to: CChar.self) { characters in
                unsafe sqlite3_prepare_v3(
                    self.handle,
                    characters.baseAddress,
                    Int32(characters.count),
                    UInt32(SQLITE_PREPARE_PERSISTENT),
                    &handle,
                    nil
                )
            }
        }
        guard code == SQLITE_OK, let handle = unsafe handle else { throw self.error(code) }
        let statement = unsafe Statement(owning: handle, of: self)
        self.statements[key] = statement
        return statement
    }

    /// The one number that a statement gives; nil when it gives no row.
    func number(_ text: StaticString) throws(StoreError) -> Int? {
        let select = try self.statement(text)
        defer { select.reset() }
        return try select.step() ? select.int(0) : nil
    }

    /// The number of rows that the last statement changed.
    var changes: Int { unsafe Int(sqlite3_changes64(self.handle)) }

    var lastInsertedRow: Int64 { unsafe sqlite3_last_insert_rowid(self.handle) }

    // MARK: - Transactions

    func begin() throws(StoreError) { try self.statement("BEGIN IMMEDIATE").run() }

    func commit() throws(StoreError) { try self.statement("COMMIT").run() }

    /// Undoes what is not committed; SQLite ends a transaction by itself after some failures.
    func rollBack() {
        if unsafe sqlite3_get_autocommit(self.handle) == 0 { try? self.statement("ROLLBACK").run() }
    }

    // MARK: - The log

    /// The size of the pages; 8 KiB suit rows that come in bursts and content of some kilobytes.
    static let pageOctets = 8192

    /// Turns the log on, which is never moved into the file unasked.
    func useLog() throws(StoreError) {
        let select = try self.statement("PRAGMA journal_mode = WAL")
        let mode = try select.step() ? select.text(0) : ""
        select.reset()
        guard mode == "wal" else {
            throw .foreign("the file system cannot keep a log (journal mode \(mode))")
        }
        try self.execute("PRAGMA wal_autocheckpoint = 0")
        try self.execute("PRAGMA journal_size_limit = 67108864")
        unsafe csqlite_count_frames(self.handle, self.frames)
    }

    /// The pages in the log, as of the last commit.
    var logPages: Int { unsafe Int(self.frames.pointee.now) }

    /// The most pages that the log has had; the file has kept their room.
    var logPagesMost: Int { unsafe Int(self.frames.pointee.most) }

    /// Moves the log into the database file and syncs it, waiting a little for readers to leave
    /// the part of it that they read.
    func checkpoint() -> Checkpoint {
        var logged: Int32 = 0
        var moved: Int32 = 0
        unsafe sqlite3_busy_timeout(self.handle, Self.readersMillisecondsMax)
        let code = unsafe sqlite3_wal_checkpoint_v2(
            self.handle,
            nil,
            SQLITE_CHECKPOINT_FULL,
            &logged,
            &moved
        )
        unsafe sqlite3_busy_timeout(self.handle, Self.busyMillisecondsMax)
        guard code == SQLITE_OK || code & 0xff == SQLITE_BUSY else {
            return .failed(self.error(code))
        }
        let isComplete = code == SQLITE_OK && moved >= logged
        unsafe self.frames.pointee.now = isComplete ? 0 : max(logged, 0)
        guard isComplete else { return .incomplete }
        return .complete
    }

    /// Syncs the database file, which an incomplete checkpoint leaves undone.
    func syncFile() -> Bool { unsafe csqlite_sync_file(self.handle) == SQLITE_OK }

    /// Lets the last connection remove the log, which must be empty.
    func removeLogOnClose() { unsafe _ = csqlite_checkpoint_on_close(self.handle, 1) }

    /// So long a checkpoint waits for readers; new mail waits with it.
    private static let readersMillisecondsMax: Int32 = 50

    // MARK: - Failures

    func error(_ code: Int32) -> StoreError {
        switch code & 0xff {
        case SQLITE_ERROR, SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_RANGE, SQLITE_TOOBIG,
            SQLITE_MISUSE:
            self.isRequestAtFault = true
        default:
            self.isRequestAtFault = false
        }
        return unsafe Self.error(code, String(cString: sqlite3_errmsg(self.handle)))
    }

    private static func error(_ code: Int32, _ message: String) -> StoreError {
        switch code & 0xff {
        case SQLITE_FULL: .full
        case SQLITE_IOERR where code == csqlite_shm_size_failure: .full
        case SQLITE_NOTADB, SQLITE_CORRUPT: .foreign(message)
        default: .retryable("\(message) (\(code))")
        }
    }
}
