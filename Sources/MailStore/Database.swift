// SPDX-License-Identifier: Apache-2.0
//
// One SQLite connection and its prepared statements; the only place that sees SQLite's handles.

internal import CSQLite
internal import MailSyntax

/// A connection, used by one thread.
@safe
final class Database {
    private let handle: OpaquePointer
    private var statements: [StaticStringKey: Statement] = [:]

    /// Statements are kept by the address of their text.
    private struct StaticStringKey: Hashable {
        let address: UInt

        init(_ text: StaticString) {
            self.address = unsafe UInt(bitPattern: text.utf8Start)
        }
    }

    init(path: String, readOnly: Bool, vfs: String?) throws(StoreError) {
        var handle: OpaquePointer?
        let flags =
            (readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
            | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = unsafe vfs.map { unsafe sqlite3_open_v2(path, &handle, flags, $0) }
            ?? sqlite3_open_v2(path, &handle, flags, nil)
        guard code == SQLITE_OK, let handle = unsafe handle else {
            unsafe sqlite3_close_v2(handle)
            throw Self.error(code, "cannot open \(path)")
        }
        unsafe self.handle = handle
        unsafe sqlite3_busy_timeout(handle, 10_000)
    }

    deinit {
        self.statements = [:]
        unsafe sqlite3_close_v2(self.handle)
    }

    /// Runs statements that give nothing back.
    func execute(_ text: String) throws(StoreError) {
        let code = unsafe sqlite3_exec(self.handle, text, nil, nil, nil)
        guard code == SQLITE_OK else { throw self.error(code) }
    }

    /// A prepared statement, from the first use on.
    func statement(_ text: StaticString) throws(StoreError) -> Statement {
        let key = StaticStringKey(text)
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

    /// The number of rows that the last statement changed.
    var changes: Int { unsafe Int(sqlite3_changes64(self.handle)) }

    /// Whether a transaction is open; SQLite ends one by itself after some failures.
    var isInTransaction: Bool { unsafe sqlite3_get_autocommit(self.handle) == 0 }

    var lastInsertedRow: Int64 { unsafe sqlite3_last_insert_rowid(self.handle) }

    /// Moves the log into the database file, as far as readers allow.
    func checkpoint() {
        unsafe _ = sqlite3_wal_checkpoint_v2(
            self.handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
    }

    func error(_ code: Int32) -> StoreError {
        unsafe Self.error(code, String(cString: sqlite3_errmsg(self.handle)))
    }

    private static func error(_ code: Int32, _ message: String) -> StoreError {
        switch code & 0xff {
        case SQLITE_FULL: .full
        case SQLITE_NOTADB, SQLITE_CORRUPT: .foreign(message)
        default: .retryable("\(message) (\(code))")
        }
    }
}

/// A prepared statement; reset after each use, so that it holds nothing open.
@safe
final class Statement {
    private let handle: OpaquePointer
    private unowned let database: Database

    init(owning handle: OpaquePointer, of database: Database) {
        unsafe self.handle = handle
        self.database = database
    }

    deinit { unsafe sqlite3_finalize(self.handle) }

    func bind(_ index: Int32, _ value: Int64) { unsafe sqlite3_bind_int64(self.handle, index, value) }

    func bind(_ index: Int32, _ value: Int) { self.bind(index, Int64(value)) }

    func bind(_ index: Int32, _ value: Int?) {
        if let value { self.bind(index, value) } else { unsafe sqlite3_bind_null(self.handle, index) }
    }

    /// Octets that SQLite copies.
    func bind(_ index: Int32, _ octets: [UInt8]?) {
        guard let octets else {
            unsafe sqlite3_bind_null(self.handle, index)
            return
        }
        unsafe octets.withUnsafeBytes { buffer in
            // A copy is made at once, because the array may move.
            unsafe _ = sqlite3_bind_blob64(
                self.handle,
                index,
                buffer.baseAddress ?? UnsafeRawPointer(bitPattern: 1),
                UInt64(buffer.count),
                csqlite_transient()
            )
        }
    }

    /// Runs the statement with large octets bound in place, without a copy.
    func run(bindingInPlace octets: [UInt8], at index: Int32) throws(StoreError) {
        let code = unsafe octets.withUnsafeBytes { buffer -> Int32 in
            unsafe csqlite_bind_octets(self.handle, index, buffer.baseAddress, Int32(buffer.count))
            let code = unsafe sqlite3_step(self.handle)
            unsafe sqlite3_reset(self.handle)
            unsafe sqlite3_bind_null(self.handle, index)
            return code
        }
        guard code == SQLITE_DONE else { throw self.database.error(code) }
    }

    /// Runs the statement to its end and forgets its rows.
    func run() throws(StoreError) {
        while try self.step() {}
        self.reset()
    }

    /// Whether there is a (further) row.
    func step() throws(StoreError) -> Bool {
        switch unsafe sqlite3_step(self.handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code:
            let error = self.database.error(code)
            self.reset()
            throw error
        }
    }

    func reset() { unsafe sqlite3_reset(self.handle) }

    func int(_ column: Int32) -> Int { unsafe Int(sqlite3_column_int64(self.handle, column)) }

    func isNull(_ column: Int32) -> Bool {
        unsafe sqlite3_column_type(self.handle, column) == SQLITE_NULL
    }

    func octets(_ column: Int32) -> [UInt8] {
        var octets: [UInt8] = []
        self.appendOctets(column, skipping: 0, max: .max, to: &octets)
        return octets
    }

    func address(_ column: Int32) -> Address? { Address(canonical: self.octets(column)) }

    /// Appends a part of a column; returns the size of the column.
    @discardableResult
    func appendOctets(
        _ column: Int32,
        skipping skipped: Int,
        max: Int,
        to octets: inout [UInt8]
    ) -> Int {
        let start = unsafe sqlite3_column_blob(self.handle, column)
        let count = unsafe Int(sqlite3_column_bytes(self.handle, column))
        guard let start = unsafe start, count > skipped, max > 0 else { return count }
        let part = unsafe UnsafeRawBufferPointer(
            start: start + skipped,
            count: min(count - skipped, max)
        )
        unsafe octets.append(contentsOf: part)
        return count
    }
}
