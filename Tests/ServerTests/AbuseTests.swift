// SPDX-License-Identifier: Apache-2.0
//
// The counters that slow abuse down: exact, bounded, and back to nothing when it is over.

import MailBytes
import MailSyntax
import Testing

@testable import MailStore
@testable import Server

private func client(_ number: UInt32) -> NetworkAddress {
    NetworkAddress(ipv4: 0xc000_0200 + number, port: 0)
}

@Suite("Counts over a moving window")
struct SlidingCountTests {
    @Test("What happened counts for the window, and at most a sixth longer")
    func window() {
        for start in stride(from: 0.0, to: 60, by: 3.7) {
            var count = SlidingCount()
            count.add(3, at: start, window: 60)
            for age in stride(from: 0.0, through: 60, by: 2.5) {
                #expect(count.count(at: start + age, window: 60) == 3)
            }
            #expect(count.count(at: start + 70.001, window: 60) == 0)
        }
    }

    @Test("It agrees with a list of moments, but for the sixth it may keep longer")
    func model() {
        var random = SystemRandomNumberGenerator()
        var count = SlidingCount()
        var moments: [Double] = []
        var now = 1000.0
        for _ in 0..<5000 {
            now += Double.random(in: 0...8, using: &random)
            let counted = count.count(at: now, window: 60)
            #expect(counted >= moments.count { $0 >= now - 60 })
            #expect(counted <= moments.count { $0 >= now - 70 })
            count.add(at: now, window: 60)
            moments.append(now)
        }
    }

    @Test("What is taken back is the newest, and never more than there is")
    func takenBack() {
        var count = SlidingCount()
        count.add(2, at: 0, window: 60)
        count.add(3, at: 30, window: 60)
        count.takeBack(4)
        #expect(count.count(at: 30, window: 60) == 1)
        #expect(count.count(at: 71, window: 60) == 0)
        count.takeBack(9)
        #expect(count.count(at: 30, window: 60) == 0)
        count.add(.max, at: 30, window: 60)
        count.add(.max, at: 30, window: 60)
        #expect(count.count(at: 30, window: 60) == Int(Int32.max))
    }
}

@Suite("Bounded tables")
struct BoundedTableTests {
    private struct Weight: Fading {
        var weight: Int
        func weight(at now: Double) -> Int { now < 100 ? self.weight : 0 }
    }

    @Test("A flood of new names pushes out new names, not those that weigh")
    func flood() {
        var table = BoundedTable<Int, Weight>(entriesMax: 64)
        for key in 0..<8 { table.change(key, orNew: Weight(weight: 50), at: 0) { _ in } }
        for key in 8..<10_000 { table.change(key, orNew: Weight(weight: 1), at: 0) { _ in } }
        #expect(table.count == 64)
        #expect((0..<7).filter { table[$0] != nil }.count >= 6)
        #expect(table[9999]?.weight == 1)
        table.sweep(at: 50)
        #expect(table.count == 64)
        table.sweep(at: 100)
        #expect(table.isEmpty)
        #expect(table[0] == nil)
    }

    @Test("Entries change in place, and only those that are there")
    func change() {
        var table = BoundedTable<String, Weight>(entriesMax: 2)
        table.changeIfThere("a") { $0.weight = 9 }
        #expect(table["a"] == nil)
        let first = table.change("a", orNew: Weight(weight: 1), at: 0) { entry in
            entry.weight += 1
            return entry.weight
        }
        #expect(first == 2)
        table.changeIfThere("a") { $0.weight = 9 }
        table.change("b", orNew: Weight(weight: 1), at: 0) { _ in }
        table.change("c", orNew: Weight(weight: 1), at: 0) { _ in }
        #expect(table["a"]?.weight == 9)
        #expect(table["b"] == nil)
        #expect(table.count == 2)
    }
}

@Suite("Failed logins")
struct LoginThrottleTests {
    private let anna: Address
    private let bert: Address

    init() throws {
        self.anna = try #require(Address(parsing: "anna@example.test"))
        self.bert = try #require(Address(parsing: "bert@example.test"))
    }

    private func throttle(entriesMax: Int = 100) -> LoginThrottle {
        LoginThrottle(
            limits: LoginThrottle.Limits(
                failuresPerClient: 6,
                failuresPerAccount: 10,
                banSeconds: 600,
                failureSeconds: 1,
                delaySecondsMax: 8,
                entriesMax: entriesMax
            )
        )
    }

    @Test("A client gets slower and is banned for a while, whatever accounts it tries")
    func ban() {
        var throttle = self.throttle()
        var delays: [Double] = []
        for attempt in 1...6 {
            let account = attempt % 2 == 0 ? self.anna : self.bert
            #expect(!throttle.isBanned(client(1), at: Double(attempt)))
            let found = throttle.failed(
                account,
                from: client(1),
                isExempt: false,
                at: Double(attempt)
            )
            delays.append(found.delaySeconds)
            #expect(found.beginsBan == (attempt == 6))
        }
        #expect(delays == [1, 1, 1, 2, 4, 8])
        #expect(throttle.isBanned(client(1), at: 7))
        #expect(!throttle.isBanned(client(2), at: 7))
        #expect(throttle.isBanned(client(1), at: 605.9))
        #expect(!throttle.isBanned(client(1), at: 606))
        // Then it has as many attempts again.
        let found = throttle.failed(self.anna, from: client(1), isExempt: false, at: 607)
        #expect(found == LoginThrottle.Consequence(delaySeconds: 1, beginsBan: false))
    }

    @Test("Names that can be no account count for the client")
    func noAccount() {
        var throttle = self.throttle()
        for second in 0..<6 {
            _ = throttle.failed(nil, from: client(1), isExempt: false, at: Double(second))
        }
        #expect(throttle.isBanned(client(1), at: 6))
    }

    @Test("An exempt client is never banned nor slowed, but what it fails at is known")
    func exempt() {
        var throttle = self.throttle()
        for second in 0..<20 {
            let found = throttle.failed(
                self.anna,
                from: client(1),
                isExempt: true,
                at: Double(second)
            )
            #expect(found == LoginThrottle.Consequence(delaySeconds: 1, beginsBan: false))
        }
        #expect(!throttle.isBanned(client(1), at: 20))
        #expect(throttle.wait(before: self.anna, from: client(2), at: 20) == 8)
    }

    @Test("Many clients that guess at one account wait; nobody is locked out, the owner least")
    func distributed() {
        var throttle = self.throttle()
        for number in 0..<9 {
            _ = throttle.failed(self.anna, from: client(UInt32(number)), isExempt: false, at: 0)
        }
        #expect(throttle.wait(before: self.anna, from: client(50), at: 1) == 0)
        _ = throttle.failed(self.anna, from: client(9), isExempt: false, at: 1)
        #expect(throttle.wait(before: self.anna, from: client(50), at: 1) == 1)
        #expect(throttle.wait(before: self.bert, from: client(50), at: 1) == 0)
        for number in 10..<200 {
            _ = throttle.failed(self.anna, from: client(UInt32(number)), isExempt: false, at: 2)
        }
        // However many fail, the wait is bounded, and the owner's ends with the first success.
        #expect(throttle.wait(before: self.anna, from: client(210), at: 2) == 8)
        throttle.succeeded(self.anna, from: client(210))
        #expect(throttle.wait(before: self.anna, from: client(210), at: 3) == 0)
        for number in 10..<200 {
            _ = throttle.failed(self.anna, from: client(UInt32(number)), isExempt: false, at: 3)
        }
        #expect(throttle.wait(before: self.anna, from: client(210), at: 4) == 0)
        #expect(throttle.wait(before: self.anna, from: client(11), at: 4) == 8)
        // When the guessing is over, so is the wait.
        #expect(throttle.wait(before: self.anna, from: client(11), at: 704) == 0)
    }

    @Test("A success forgives what that client got wrong about that account, and no more")
    func success() {
        var throttle = self.throttle()
        for second in 0..<3 {
            _ = throttle.failed(self.anna, from: client(1), isExempt: false, at: Double(second))
        }
        // The owner of one account guesses at another in between.
        for second in 3..<5 {
            _ = throttle.failed(self.bert, from: client(1), isExempt: false, at: Double(second))
        }
        throttle.succeeded(self.anna, from: client(1))
        throttle.succeeded(self.anna, from: client(1))
        for second in 5..<8 {
            _ = throttle.failed(self.bert, from: client(1), isExempt: false, at: Double(second))
        }
        #expect(!throttle.isBanned(client(1), at: 8))
        let last = throttle.failed(self.bert, from: client(1), isExempt: false, at: 8)
        #expect(last.beginsBan)
    }

    @Test("The memory is bounded, keeps bans in a flood, and is empty when all is over")
    func bounded() throws {
        var throttle = self.throttle(entriesMax: 100)
        for second in 0..<6 {
            _ = throttle.failed(self.anna, from: client(1), isExempt: false, at: Double(second))
        }
        for number in 10..<5000 {
            let name = try #require(Address(parsing: "u\(number)@example.test"))
            _ = throttle.failed(name, from: client(UInt32(number)), isExempt: false, at: 10)
        }
        #expect(throttle.isBanned(client(1), at: 11))
        throttle.sweep(at: 11)
        #expect(!throttle.isEmpty)
        throttle.sweep(at: 800)
        #expect(throttle.isEmpty)
    }
}

@Suite("Rates")
struct RateTests {
    @Test("So many connections a minute; those refused do not count")
    func connections() {
        var rate = ConnectionRate(entriesMax: 10)
        func entered(_ number: UInt32, _ seconds: ClosedRange<Int>) -> [Int] {
            seconds.filter { rate.enter(client(number), max: 5, at: Double($0)) }
        }
        #expect(entered(1, 0...59) == [0, 1, 2, 3, 4])
        #expect(entered(2, 59...59) == [59])
        #expect(entered(1, 60...75) == [70, 71, 72, 73, 74])
        rate.sweep(at: 130)
        #expect(!rate.isEmpty)
        rate.sweep(at: 150)
        #expect(rate.isEmpty)
    }

    @Test("So many messages and recipients an hour; what was not sent is given back")
    func accounts() {
        var rates = AccountRates(messagesPerHour: 3, recipientsPerHour: 5, entriesMax: 10)
        let account = AccountID(rawValue: 1)
        func messages(_ number: Int64, at now: Double) -> Int {
            (0..<9).count { _ in rates.takeMessage(AccountID(rawValue: number), at: now) }
        }
        func recipients(at now: Double) -> Int {
            (0..<9).count { _ in rates.takeRecipient(account, at: now) }
        }
        #expect(messages(1, at: 0) == 3)
        #expect(messages(1, at: 1) == 0)
        #expect(messages(2, at: 1) == 3)
        #expect(recipients(at: 1) == 5)
        rates.giveBack(account, messages: 1, recipients: 2)
        #expect(messages(1, at: 2) == 1)
        #expect(recipients(at: 2) == 2)
        #expect(recipients(at: 3599) == 0)
        #expect(recipients(at: 4201) == 5)
        let isLeft = rates.sweep(at: 10_000)
        #expect(!isLeft && rates.isEmpty)
    }

    @Test("Errors beyond the free ones cost a pause each, and nothing else does")
    func tarpit() {
        var tarpit = Tarpit()
        let limits = Tarpit.Limits(freeErrors: 2, pauseSeconds: 0.5)
        let pauses = [0, 1, 2, 2, 3, 3, 5].map { tarpit.pause(after: $0, limits: limits) }
        #expect(pauses == [nil, nil, nil, nil, 0.5, nil, 0.5])
        let none = Tarpit.Limits(freeErrors: 0, pauseSeconds: 0)
        let pause = tarpit.pause(after: 9, limits: none)
        #expect(pause == nil)
    }
}
