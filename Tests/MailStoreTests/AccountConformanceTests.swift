// SPDX-License-Identifier: Apache-2.0

import MailStore
import MailSyntax
import Testing

@Suite("Conformance: accounts and aliases")
struct AccountConformanceTests {
    @Test("An account is found as it was made", arguments: StoreKind.all)
    func accounts(kind: StoreKind) throws {
        let store = try kind.make()
        let anna = try address("anna@example.test")
        #expect(try store.account(anna) == nil)
        let new = NewAccount(
            address: anna,
            verifier: [1, 2, 3],
            recoverableSecret: Array("secret".utf8),
            quota: 1000
        )
        guard case .accountAdded(let id) = store.ask(.addAccount(new)) else {
            Issue.record("the account was not added")
            return
        }
        #expect(store.ask(.addAccount(new)).failure == .exists)
        try store.restart(inOrder: false)
        let found = try #require(try store.account(anna))
        #expect(found.id == id)
        #expect(found.verifier == [1, 2, 3])
        #expect(found.recoverableSecret == Array("secret".utf8))
        #expect(found.quota == 1000)
        #expect(try store.account(address("ANNA@Example.TEST")) != nil)
        #expect(try store.account(address("ann@example.test")) == nil)
    }

    @Test("A password change changes the verifier and the secret", arguments: StoreKind.all)
    func passwords(kind: StoreKind) throws {
        let store = try kind.make()
        _ = try store.addAccount("anna@example.test", quota: 77)
        let anna = try address("anna@example.test")
        let nobody = try address("nobody@example.test")
        let change = StoreRequest.setPassword(anna, verifier: [9], recoverableSecret: [8])
        #expect(store.ask(change).isDone)
        #expect(try store.account(anna)?.verifier == [9])
        #expect(try store.account(anna)?.recoverableSecret == [8])
        #expect(store.ask(.setPassword(anna, verifier: [7], recoverableSecret: nil)).isDone)
        #expect(try store.account(anna)?.recoverableSecret == nil)
        #expect(try store.account(anna)?.quota == 77)
        let unknown = StoreRequest.setPassword(nobody, verifier: [7], recoverableSecret: nil)
        #expect(store.ask(unknown).failure == .notFound)
        #expect(store.ask(.setQuota(nobody, 1)).failure == .notFound)
        #expect(store.ask(.removeAccount(nobody)).failure == .notFound)
    }

    @Test("A better verifier never undoes a password change", arguments: StoreKind.all)
    func betterVerifiers(kind: StoreKind) throws {
        let store = try kind.make()
        let anna = try address("anna@example.test")
        let new = NewAccount(address: anna, verifier: [1], recoverableSecret: [5], quota: nil)
        _ = store.ask(.addAccount(new))
        #expect(store.ask(.improveVerifier(anna, replacing: [1], with: [2])).isDone)
        #expect(try store.account(anna)?.verifier == [2])
        #expect(try store.account(anna)?.recoverableSecret == [5])
        // In between somebody has changed the password.
        _ = store.ask(.setPassword(anna, verifier: [3], recoverableSecret: nil))
        let late = store.ask(.improveVerifier(anna, replacing: [2], with: [4]))
        #expect(late.failure == .notFound)
        #expect(try store.account(anna)?.verifier == [3])
    }

    @Test("An account made anew is another one", arguments: StoreKind.all)
    func madeAnew(kind: StoreKind) throws {
        let store = try kind.make()
        let first = try store.addAccount("anna@example.test")
        let bert = try store.addAccount("bert@example.test")
        let shared = TestMessage(1, "for both\r\n")
        _ = store.ask(shared.append(to: [first, bert]))
        let before = try store.head(first)
        let anna = try address("anna@example.test")
        #expect(store.ask(.removeAccount(anna)).isDone)
        #expect(try store.account(anna) == nil)
        #expect(throws: StoreError.gone) { _ = try store.head(first) }
        #expect(store.ask(TestMessage(2, "x").append(to: [first])).failure == .gone)
        let deletion = StoreRequest.delete(first, incarnation: before.incarnation, sequences: [1])
        #expect(store.ask(deletion).failure == .gone)
        let second = try store.addAccount("anna@example.test")
        #expect(second != first)
        let after = try store.head(second)
        #expect(after.incarnation != before.incarnation)
        #expect(after.count == 0)
        #expect(try store.contents(of: second).isEmpty)
        #expect(try store.contents(of: bert) == [shared.delivered])
        // A session of the first account cannot delete from the second.
        let stray = StoreRequest.delete(second, incarnation: before.incarnation, sequences: [1])
        #expect(store.ask(stray).failure == .fenced)
        try store.restart(inOrder: true)
        #expect(try store.head(second).incarnation == after.incarnation)
    }

    @Test("Accounts are listed in order, page by page", arguments: StoreKind.all)
    func pages(kind: StoreKind) throws {
        let store = try kind.make()
        let names = ["carl", "anna", "bert", "zoe", "dora", "emil", "fritz"]
        for name in names { _ = try store.addAccount("\(name)@example.test", quota: 5) }
        let anna = try #require(try store.account(address("anna@example.test")))
        var message = TestMessage(1, "x\r\n")
        message.reversePath = ""
        #expect(store.ask(message.append(to: [anna.id])).failure == .overQuota)
        _ = store.ask(.setQuota(anna.address, nil))
        _ = store.ask(message.append(to: [anna.id]))
        var found: [AccountSummary] = []
        while true {
            let page = try store.accounts(after: found.last?.address, count: 3)
            if page.isEmpty { break }
            found += page
        }
        #expect(found.map(\.address.text) == names.sorted().map { "\($0)@example.test" })
        #expect(found[0].messages == 1)
        #expect(found[0].octets == message.delivered.count)
        #expect(found[0].quota == nil)
        #expect(found[1].quota == 5)
        #expect(!found[0].hasRecoverableSecret)
    }

    @Test("Aliases lead on, and never in a circle", arguments: StoreKind.all)
    func aliases(kind: StoreKind) throws {
        let store = try kind.make()
        _ = try store.addAccount("anna@example.test")
        func alias(_ name: String, _ targets: String...) throws -> StoreError? {
            let targets = try targets.map { try address("\($0)@example.test") }
            return store.ask(.addAlias(try address("\(name)@example.test"), targets: targets))
                .failure
        }
        #expect(try alias("sales", "anna", "bert") == nil)
        #expect(try alias("sales", "anna") == .exists)
        #expect(try alias("anna", "bert") == .exists)
        #expect(try alias("own", "own") == .aliasLoop)
        #expect(try alias("team", "sales", "carl") == nil)
        #expect(try alias("carl", "team") == .aliasLoop)
        #expect(try alias("bert", "x") == nil)
        #expect(try alias("x", "sales") == .aliasLoop)
        let bert = NewAccount(
            address: try address("sales@example.test"),
            verifier: [],
            recoverableSecret: nil,
            quota: nil
        )
        #expect(store.ask(.addAccount(bert)).failure == .exists)
        guard case .alias(let targets) = try store.resolve(address("sales@example.test")) else {
            Issue.record("not an alias")
            return
        }
        #expect(targets.map(\.text) == ["anna@example.test", "bert@example.test"])
        guard case .account = try store.resolve(address("anna@example.test")),
            case .none = try store.resolve(address("nobody@example.test"))
        else {
            Issue.record("resolved wrongly")
            return
        }
        let first = try store.aliases(after: nil, count: 2)
        #expect(first.map(\.address.text) == ["bert@example.test", "sales@example.test"])
        let rest = try store.aliases(after: first.last?.address, count: 2)
        #expect(rest.map(\.address.text) == ["team@example.test"])
        #expect(store.ask(.removeAlias(try address("sales@example.test"))).isDone)
        #expect(store.ask(.removeAlias(try address("sales@example.test"))).failure == .notFound)
        #expect(try alias("x", "sales") == nil)
    }

    @Test("Message ids are reserved once", arguments: StoreKind.all)
    func messageIDs(kind: StoreKind) throws {
        let store = try kind.make()
        var end: UInt64 = 0
        for round in 0..<4 {
            let first = try store.reserve(100)
            #expect(first >= end)
            end = first + 100
            try store.restart(inOrder: round % 2 == 0)
        }
    }

    @Test("A restored backup starts new incarnations", arguments: StoreKind.all)
    func newIncarnations(kind: StoreKind) throws {
        let store = try kind.make()
        let anna = try store.addAccount("anna@example.test")
        let bert = try store.addAccount("bert@example.test")
        let message = TestMessage(1, "kept\r\n")
        _ = store.ask(message.append(to: [anna, bert]))
        let before = [try store.head(anna), try store.head(bert)]
        let reserved = try store.reserve(10)
        try store.startNewIncarnations()
        let after = [try store.head(anna), try store.head(bert)]
        let all = Set((before + after).map(\.incarnation))
        #expect(all.count == 4)
        #expect(try store.contents(of: anna) == [message.delivered])
        // Far more than the ids that the lost time can have used.
        let next = try store.reserve(1)
        #expect(next > reserved + 1 << 32)
        let old = StoreRequest.delete(anna, incarnation: before[0].incarnation, sequences: [1])
        #expect(store.ask(old).failure == .fenced)
    }

    @Test("Requests of one group see those before them", arguments: StoreKind.all)
    func groups(kind: StoreKind) throws {
        let store = try kind.make()
        let anna = try address("anna@example.test")
        let new = NewAccount(address: anna, verifier: [1], recoverableSecret: nil, quota: nil)
        let answers = store.commit([
            .addAccount(new), .addAccount(new), .removeAccount(anna), .removeAccount(anna),
            .addAlias(anna, targets: [try address("bert@example.test")]),
        ])
        #expect(answers.map(\.failure) == [nil, .exists, nil, .notFound, nil])
    }
}
