// SPDX-License-Identifier: Apache-2.0
//
// Which kinds of accounts there are: exact after every change, and found without a search.

import MailSyntax
import Testing

@testable import MailStore

@Suite("Kinds of accounts")
struct AccountKindsTests {
    private static let imported = Array("1 {CRYPT}$6$salt$hash".utf8)
    private static let derived = Array("1 SCRAM-SHA-256$1:c2FsdA==$a:b SCRAM-SHA-1$1:c$d:e".utf8)

    private func kinds(_ store: SQLiteStore) throws -> [Bool] {
        let kinds = try #require(try store.reader?.accountKinds())
        return [kinds.hasImportedHash, kinds.hasRecoverableSecret]
    }

    @Test("They follow every change of an account")
    func changes() throws {
        let store = try SQLiteStore()
        let anna = try address("anna@example.test")
        #expect(try self.kinds(store) == [false, false])
        _ = store.ask(
            .addAccount(
                NewAccount(
                    address: anna,
                    verifier: Self.imported,
                    recoverableSecret: nil,
                    quota: nil
                )
            )
        )
        #expect(try self.kinds(store) == [true, false])
        _ = store.ask(
            .improveVerifier(anna, replacing: Self.imported, with: Self.derived)
        )
        #expect(try self.kinds(store) == [false, false])
        _ = store.ask(.setPassword(anna, verifier: Self.derived, recoverableSecret: [1]))
        #expect(try self.kinds(store) == [false, true])
        _ = store.ask(.setPassword(anna, verifier: Self.imported, recoverableSecret: [1]))
        #expect(try self.kinds(store) == [true, true])
        try store.restart(inOrder: false)
        #expect(try self.kinds(store) == [true, true])
        _ = store.ask(.removeAccount(anna))
        #expect(try self.kinds(store) == [false, false])
    }

    @Test("An account without a password is of neither kind")
    func nobody() throws {
        let store = try SQLiteStore()
        _ = try store.ask(
            .addAccount(
                NewAccount(
                    address: address("postmaster@example.test"),
                    verifier: [],
                    recoverableSecret: nil,
                    quota: nil
                )
            )
        )
        #expect(try self.kinds(store) == [false, false])
    }

    @Test("The answers come from indexes, also in a file that was made without them")
    func indexes() throws {
        let directory = TemporaryDirectory()
        do { _ = try MailStore(directory: directory.path, options: .small) }
        let path = StoreDirectory.database(in: directory.path)
        do {
            let database = try Database(path: path, readOnly: false, vfs: nil)
            try database.execute("DROP INDEX account_imported; DROP INDEX account_recoverable")
        }
        do { _ = try MailStore(directory: directory.path, options: .small) }
        let database = try Database(path: path, readOnly: false, vfs: nil)
        for (query, index) in [
            (
                """
                EXPLAIN QUERY PLAN SELECT 1 FROM account
                WHERE substr(verifier, 1, 9) = x'31207b43525950547d' LIMIT 1
                """ as StaticString, "account_imported"
            ),
            (
                "EXPLAIN QUERY PLAN SELECT 1 FROM account WHERE secret IS NOT NULL LIMIT 1",
                "account_recoverable"
            ),
        ] {
            let plan = try database.statement(query)
            #expect(try plan.step())
            #expect(plan.text(3).contains(index))
            plan.reset()
        }
    }
}
