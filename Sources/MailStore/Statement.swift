// SPDX-License-Identifier: Apache-2.0
//
// One prepared statement: values in, rows out.

internal import CSQLite
internal import MailSyntax

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

    // MARK: - Values

    func bind(_ index: Int32, _ value: Int64) {
        unsafe sqlite3_bind_int64(self.handle, index, value)
    }

    func bind(_ index: Int32, _ value: Int) { self.bind(index, Int64(value)) }

    func bind(_ index: Int32, _ value: Int?) {
        if let value {
            self.bind(index, value)
        } else {
            unsafe sqlite3_bind_null(self.handle, index)
        }
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

    // MARK: - Running

    /// Runs the statement to its end and forgets its rows.
    func run() throws(StoreError) {
        while try self.step() {}
        self.reset()
    }

    /// Runs the statement with large octets bound in place, without a copy.
    func run(bindingInPlace octets: borrowing Span<UInt8>, at index: Int32) throws(StoreError) {
        let code = unsafe octets.withUnsafeBytes { buffer -> Int32 in
            unsafe csqlite_bind_octets(self.handle, index, buffer.baseAddress, Int32(buffer.count))
            let code = unsafe sqlite3_step(self.handle)
            unsafe sqlite3_reset(self.handle)
            unsafe sqlite3_bind_null(self.handle, index)
            return code
        }
        guard code == SQLITE_DONE else { throw self.database.error(code) }
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

    // MARK: - Columns

    func int(_ column: Int32) -> Int { unsafe Int(sqlite3_column_int64(self.handle, column)) }

    func int64(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(self.handle, column) }

    func optionalInt(_ column: Int32) -> Int? {
        unsafe sqlite3_column_type(self.handle, column) == SQLITE_NULL ? nil : self.int(column)
    }

    func octets(_ column: Int32) -> [UInt8] {
        var octets: [UInt8] = []
        self.appendOctets(column, skipping: 0, max: .max, to: &octets)
        return octets
    }

    func octetCount(_ column: Int32) -> Int {
        unsafe Int(sqlite3_column_bytes(self.handle, column))
    }

    func optionalOctets(_ column: Int32) -> [UInt8]? {
        unsafe sqlite3_column_type(self.handle, column) == SQLITE_NULL ? nil : self.octets(column)
    }

    func text(_ column: Int32) -> String { String(decoding: self.octets(column), as: UTF8.self) }

    func address(_ column: Int32) -> Address? { Address(canonical: self.octets(column)) }

    /// A column with addresses, a line feed between them.
    func addresses(_ column: Int32) -> [Address] {
        self.octets(column).split(separator: 0x0a).compactMap { Address(canonical: Array($0)) }
    }

    /// Appends a part of a column; returns how many octets that were.
    @discardableResult
    func appendOctets(
        _ column: Int32,
        skipping skipped: Int,
        max: Int,
        to octets: inout [UInt8]
    ) -> Int {
        let start = unsafe sqlite3_column_blob(self.handle, column)
        let count = unsafe Int(sqlite3_column_bytes(self.handle, column))
        guard let start = unsafe start, count > skipped, max > 0 else { return 0 }
        let part = unsafe UnsafeRawBufferPointer(
            start: start + skipped,
            count: min(count - skipped, max)
        )
        unsafe octets.append(contentsOf: part)
        return part.count
    }
}
