// SPDX-License-Identifier: Apache-2.0
//
// The narrow interface that every implementation of the store offers, and that the conformance
// tests use and nothing else. Another implementation joins them by a line in `StoreKind.all`.

import MailStore
import MailSyntax
import Testing

/// A store with its reader, as the conformance tests see it.
protocol StoreUnderTest: AnyObject {
    func commit(_ requests: [StoreRequest]) -> [StoreAnswer]
    func account(_ address: Address) throws(StoreError) -> AccountRecord?
    func resolve(_ address: Address) throws(StoreError) -> AddressEntry
    func accounts(after: Address?, count: Int) throws(StoreError) -> [AccountSummary]
    func aliases(after: Address?, count: Int) throws(StoreError) -> [AliasSummary]
    func head(_ account: AccountID) throws(StoreError) -> MaildropHead
    func listing(_ account: AccountID, below end: UInt32) throws(StoreError) -> [MaildropEntry]
    func read(
        _ account: AccountID,
        sequence: UInt32,
        offset: Int,
        max: Int,
        into octets: inout [UInt8]
    ) throws(StoreError) -> Bool
    /// Makes all unique-ids new, as after a restored backup.
    func startNewIncarnations() throws(StoreError)
    /// Ends the process that has the store, in order or not, and starts another.
    func restart(inOrder: Bool) throws(StoreError)
}

/// An implementation of the store.
struct StoreKind: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let make: @Sendable () throws(StoreError) -> any StoreUnderTest

    static let all = [
        StoreKind(testDescription: "SQLite") { () throws(StoreError) in try SQLiteStore() }
    ]
}

/// The store in a file, in a directory of its own.
final class SQLiteStore: StoreUnderTest {
    let directory: TemporaryDirectory
    let options: MailStore.Options
    private(set) var store: MailStore?
    private(set) var reader: MailStoreReader?

    init(
        in directory: TemporaryDirectory = TemporaryDirectory(),
        options: MailStore.Options = .small
    ) throws(StoreError) {
        self.directory = directory
        self.options = options
        try self.open()
    }

    private func open() throws(StoreError) {
        self.store = try MailStore(directory: self.directory.path, options: self.options)
        self.reader = try MailStoreReader(directory: self.directory.path, vfs: self.options.vfs)
    }

    func commit(_ requests: [StoreRequest]) -> [StoreAnswer] {
        self.store?.commit(requests) ?? requests.map { _ in .failed(.retryable("no store")) }
    }

    private func opened() throws(StoreError) -> MailStoreReader {
        guard let reader = self.reader else { throw .retryable("no reader") }
        return reader
    }

    func account(_ address: Address) throws(StoreError) -> AccountRecord? {
        try self.opened().account(address)
    }

    func resolve(_ address: Address) throws(StoreError) -> AddressEntry {
        try self.opened().resolve(address)
    }

    func accounts(after: Address?, count: Int) throws(StoreError) -> [AccountSummary] {
        try self.opened().accounts(after: after, count: count)
    }

    func aliases(after: Address?, count: Int) throws(StoreError) -> [AliasSummary] {
        try self.opened().aliases(after: after, count: count)
    }

    func head(_ account: AccountID) throws(StoreError) -> MaildropHead {
        try self.opened().maildropHead(account)
    }

    func listing(_ account: AccountID, below end: UInt32) throws(StoreError) -> [MaildropEntry] {
        try self.opened().listing(account, below: end)
    }

    func read(
        _ account: AccountID,
        sequence: UInt32,
        offset: Int,
        max: Int,
        into octets: inout [UInt8]
    ) throws(StoreError) -> Bool {
        try self.opened().read(account, sequence: sequence, offset: offset, max: max, into: &octets)
    }

    func startNewIncarnations() throws(StoreError) { try self.store?.startNewIncarnations() }

    func restart(inOrder: Bool) throws(StoreError) {
        if inOrder { self.closeInOrder() }
        self.reader = nil
        self.store = nil
        try self.open()
    }

    func closeInOrder() {
        self.reader = nil
        self.store?.close()
        self.store = nil
    }
}

extension MailStore.Options {
    /// Without a reserve, which costs time to lay out.
    static var small: MailStore.Options {
        var options = MailStore.Options()
        options.reserveOctets = 0
        return options
    }
}

extension MailStore {
    /// Removes all garbage, which is little in a test.
    func tidyUp() {
        for _ in 0..<1000 where !self.tidy() { return }
    }
}
