// SPDX-License-Identifier: Apache-2.0

import EventLoop
import POP3Protocol
import Testing

@testable import MailStore
@testable import Server

/// What the loop remembers of maildrops, and when it must not.
struct MaildropHeadsTests {
    private let account = AccountID(rawValue: 7)
    private let ticket = Ticket(connection: ConnectionID(slot: 1, generation: 1), serial: 1)

    private func head(_ count: Int, next: UInt32) -> MaildropHead {
        MaildropHead(incarnation: 1, count: count, octets: 10 * count, nextSequence: next)
    }

    private func listing(_ count: Int) -> MaildropListing {
        MaildropListing(
            incarnation: 1,
            sequences: (0..<count).map { UInt32($0) },
            octets: Array(repeating: 10, count: count)
        )
    }

    private func remembering(_ head: MaildropHead) -> MaildropHeads {
        var heads = MaildropHeads(entriesMax: 100)
        heads.willAsk(self.account, self.ticket)
        heads.remember(head, of: self.account, self.ticket)
        return heads
    }

    @Test func listingOfTheSameCounters() {
        let head = self.head(2, next: 2)
        var heads = self.remembering(head)
        #expect(heads.listing(of: self.account, at: head) == nil)
        heads.remember(self.listing(2), of: self.account, at: head)
        #expect(heads.listing(of: self.account, at: head)?.count == 2)
        #expect(heads.head(of: self.account) == head)
        #expect(heads.listing(of: self.account, at: self.head(2, next: 3)) == nil)
    }

    @Test func listingIsForgottenWithItsCounters() {
        let head = self.head(2, next: 2)
        var heads = self.remembering(head)
        heads.remember(self.listing(2), of: self.account, at: head)
        heads.forget([self.account])
        #expect(heads.head(of: self.account) == nil)
        #expect(heads.listing(of: self.account, at: head) == nil)
        // The answer of a reader that was asked before the change comes too late.
        heads.remember(self.listing(2), of: self.account, at: head)
        #expect(heads.listing(of: self.account, at: head) == nil)
    }

    @Test func listingOfOlderCountersIsNotKept() {
        let head = self.head(3, next: 3)
        var heads = self.remembering(head)
        heads.remember(self.listing(2), of: self.account, at: self.head(2, next: 2))
        #expect(heads.listing(of: self.account, at: head) == nil)
    }

    @Test func longListingsAreNotKept() {
        let head = self.head(65, next: 65)
        var heads = self.remembering(head)
        heads.remember(self.listing(65), of: self.account, at: head)
        #expect(heads.listing(of: self.account, at: head) == nil)
    }

    @Test func allListingsTogetherAreBounded() {
        var heads = MaildropHeads(entriesMax: 100_000)
        let head = self.head(56, next: 56)
        var keptAtOnce = 0
        for number in 0..<5000 {
            let account = AccountID(rawValue: Int64(number))
            heads.willAsk(account, self.ticket)
            heads.remember(head, of: account, self.ticket)
            heads.remember(self.listing(56), of: account, at: head)
            #expect(heads.listing(of: account, at: head) != nil)
        }
        for number in 0..<5000
        where heads.listing(of: AccountID(rawValue: Int64(number)), at: head) != nil {
            keptAtOnce += 1
        }
        // Each weighs 64, and there is room for 2^18.
        #expect(keptAtOnce == 5000 - 4096)
        #expect(heads.head(of: AccountID(rawValue: 0)) == head)
    }
}
