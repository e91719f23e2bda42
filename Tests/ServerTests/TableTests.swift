// SPDX-License-Identifier: Apache-2.0
//
// The small tables that the loop owns.

import EventLoop
import MailBytes
import MailSyntax
import Testing

@testable import MailStore
@testable import Server

private func address(_ text: String) throws -> Address { try #require(Address(parsing: text)) }

private func span<Result>(_ text: String, _ body: (borrowing Span<UInt8>) -> Result) -> Result {
    let octets = Array(text.utf8)
    return body(octets.span)
}

@Suite("Addresses on the loop")
struct AddressDirectoryTests {
    private func directory(entriesMax: Int = 10) throws -> AddressDirectory {
        AddressDirectory(
            localDomains: ["Example.TEST", "second.test"],
            policy: AddressPolicy(
                delimiter: nil,
                catchAll: nil,
                postmaster: try address("postmaster@example.test"),
                localDomains: ["Example.TEST", "second.test"]
            ),
            entriesMax: entriesMax
        )
    }

    private func target(_ id: Int64, quota: Int? = nil) -> MailboxTarget {
        MailboxTarget(account: AccountID(rawValue: id), quota: quota, octets: 0)
    }

    @Test("A name without a domain is in the first local domain; case does not matter")
    func canonical() throws {
        let directory = try self.directory()
        #expect(span("Anna") { directory.address($0)?.text } == "anna@example.test")
        #expect(span("\"Anna\"@SECOND.test") { directory.address($0)?.text } == "anna@second.test")
        #expect(span("") { directory.address($0) } == nil)
        #expect(span("a b") { directory.address($0) } == nil)
    }

    @Test("Which domains are ours")
    func local() throws {
        let directory = try self.directory()
        #expect(directory.isLocal(try address("a@example.test")))
        #expect(directory.isLocal(try address("a@second.test")))
        #expect(!directory.isLocal(try address("a@third.test")))
        #expect(!directory.isLocal(try address("a@sub.example.test")))
    }

    @Test("What is remembered: known addresses without quotas, until accounts change")
    func memory() throws {
        var directory = try self.directory(entriesMax: 2)
        let anna = try address("anna@example.test")
        directory.remember(.unknown, for: anna)
        #expect(directory.cached(anna) == nil)
        directory.remember(.targets([self.target(1, quota: 9)], elsewhere: []), for: anna)
        #expect(directory.cached(anna) == nil)
        directory.remember(.targets([self.target(1)], elsewhere: []), for: anna)
        #expect(directory.cached(anna)?.isDeliverable == true)
        directory.remember(
            .targets([self.target(2)], elsewhere: []),
            for: try address("b@example.test")
        )
        // Full: it begins anew rather than to grow.
        directory.remember(
            .targets([self.target(3)], elsewhere: []),
            for: try address("c@example.test")
        )
        #expect(directory.cached(anna) == nil)
        directory.forgetAll()
        #expect(directory.cached(try address("c@example.test")) == nil)
    }

    @Test("Maildrops of several recipients, each once, in order")
    func accounts() {
        let targets = [[self.target(3), self.target(1)], [self.target(3)], [self.target(2)]]
        #expect(MailboxTarget.accounts(of: targets).map(\.rawValue) == [3, 1, 2])
        #expect(MailboxTarget.accounts(of: [[self.target(5)]]).map(\.rawValue) == [5])
    }
}

@Suite("Counts, locks and promises")
struct CountTests {
    private let one = ConnectionID(slot: 1, generation: 1)
    private let two = ConnectionID(slot: 2, generation: 1)
    private let account = AccountID(rawValue: 7)

    @Test("Clients are counted in and out")
    func clients() {
        var clients = ClientCounts()
        let one = NetworkAddress(ipv4: 0xc000_0201, port: 0)
        let other = NetworkAddress(ipv4: 0xc000_0202, port: 0)
        clients.enter(one)
        clients.enter(one)
        #expect(!clients.hasRoom(one, max: 2))
        #expect(clients.hasRoom(other, max: 2))
        clients.leave(one)
        #expect(clients.hasRoom(one, max: 2))
        clients.leave(one)
        clients.leave(one)
        #expect(clients.isEmpty)
    }

    @Test("Only its holder gives a lock back")
    func locks() {
        var locks = MaildropLocks()
        var taken = [
            locks.take(self.account, for: self.one), locks.take(self.account, for: self.two),
        ]
        locks.release(self.account, of: self.two)
        taken.append(locks.take(self.account, for: self.two))
        locks.release(self.account, of: self.one)
        taken.append(locks.take(self.account, for: self.two))
        #expect(taken == [true, false, false, true])
        #expect(!locks.isEmpty)
    }

    @Test("Promised room is room no more")
    func reservations() {
        var reservations = QuotaReservations()
        let mailbox = MailboxTarget(account: self.account, quota: 100, octets: 40)
        let free = MailboxTarget(account: AccountID(rawValue: 8), quota: nil, octets: 0)
        #expect(!reservations.isOver(mailbox, adding: 60))
        #expect(reservations.isOver(mailbox, adding: 61))
        reservations.add(50, to: [mailbox, free])
        #expect(!reservations.isOver(mailbox, adding: 10))
        #expect(reservations.isOver(mailbox, adding: 11))
        #expect(!reservations.isOver(free, adding: 1 << 40))
        reservations.remove(50, from: [mailbox, free])
        #expect(reservations.isEmpty)
        let full = MailboxTarget(account: self.account, quota: 40, octets: 40)
        #expect(reservations.isOver(full, adding: 0))
    }

    @Test("A maildrop may be opened again after the delay, and the memory of it is not kept")
    func loginDelays() {
        var delays = LoginDelays(seconds: 30)
        delays.record(self.account, at: 100)
        #expect(delays.isTooSoon(self.account, at: 129))
        #expect(!delays.isTooSoon(self.account, at: 130))
        var none = LoginDelays(seconds: nil)
        none.record(self.account, at: 100)
        #expect(!none.isTooSoon(self.account, at: 100))
    }

    @Test("Message ids come from blocks; the next block is asked for in time, once")
    func messageIDs() {
        var ids = MessageIDSource(block: 1)
        let first = ids.next()?.rawValue
        var refills = [ids.shouldRefill()]
        for _ in 0..<(MessageIDSource.blockCount - 100) { _ = ids.next() }
        refills += [ids.shouldRefill(), ids.shouldRefill()]
        ids.refill(block: nil)
        refills.append(ids.shouldRefill())
        #expect(refills == [false, true, false, true])
        let rest = (0..<100).map { _ in ids.next()?.rawValue }
        #expect(rest.dropLast().allSatisfy { $0 != nil } && rest[99] == nil)
        ids.refill(block: 900_000)
        let next = ids.next()?.rawValue
        #expect([first, next] == [1, 900_000])
    }
}

@Suite("What was read before a change")
struct ChangeTests {
    private let ticket = Ticket(connection: ConnectionID(slot: 1, generation: 1), serial: 1)
    private let account = AccountID(rawValue: 7)
    private let head = MaildropHead(incarnation: 1, count: 2, octets: 3, nextSequence: 4)

    @Test("Counters are known until their maildrop changes")
    func heads() {
        var heads = MaildropHeads(entriesMax: 10)
        #expect(heads.head(of: self.account) == nil)
        heads.willAsk(self.account, self.ticket)
        #expect(heads.head(of: self.account) == nil)
        heads.remember(self.head, of: self.account, self.ticket)
        #expect(heads.head(of: self.account) == self.head)
        heads.forget([self.account])
        #expect(heads.head(of: self.account) == nil)
    }

    @Test("Counters that were read before a change are not kept after it")
    func overtaken() {
        var heads = MaildropHeads(entriesMax: 10)
        heads.willAsk(self.account, self.ticket)
        heads.forget([self.account])
        heads.remember(self.head, of: self.account, self.ticket)
        #expect(heads.head(of: self.account) == nil)
        // Nor do they stand in for what another session has asked since.
        let other = Ticket(connection: ConnectionID(slot: 2, generation: 1), serial: 1)
        heads.willAsk(self.account, other)
        heads.remember(self.head, of: self.account, self.ticket)
        #expect(heads.head(of: self.account) == nil)
    }

    @Test("Counters of so many maildrops and no more")
    func bounded() {
        var heads = MaildropHeads(entriesMax: 2)
        for id in 1...3 {
            let account = AccountID(rawValue: Int64(id))
            heads.willAsk(account, self.ticket)
            heads.remember(self.head, of: account, self.ticket)
        }
        #expect(heads.head(of: AccountID(rawValue: 1)) == nil)
        #expect(heads.head(of: AccountID(rawValue: 3)) == self.head)
    }

    @Test("Knowledge of an address is outdated by its own changes")
    func outdated() throws {
        var changes = AccountChanges(entriesMax: 2)
        let anna = try address("anna@example.test")
        let bert = try address("bert@example.test")
        let before = changes.now
        changes.record(anna)
        #expect(changes.isOutdated(anna, since: before))
        #expect(!changes.isOutdated(bert, since: before))
        #expect(!changes.isOutdated(anna, since: changes.now))
        // What is too long ago to be told apart counts as outdated.
        for name in ["c", "d", "e"] { changes.record(try address("\(name)@example.test")) }
        #expect(changes.isOutdated(bert, since: before))
        #expect(!changes.isOutdated(bert, since: changes.now))
    }
}
