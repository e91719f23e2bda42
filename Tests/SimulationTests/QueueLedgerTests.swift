// SPDX-License-Identifier: Apache-2.0
//
// The judge of the simulation of delivery, judged itself: what must never be is seen.

import MailSyntax
import Testing

@testable import Simulation

@Suite struct QueueLedgerTests {
    private let ledger = QueueLedger()
    private let content: [UInt8]

    init() {
        let entry = self.ledger.open(
            from: "a@x",
            to: [("b@y", []), ("never@y", .never), ("told@y", [.success, .failure])]
        ) { number in Array("X-Number: \(number)\r\n\r\ntext\r\n".utf8) }
        self.content = entry.content
        self.ledger.sent(entry.number, to: Set(entry.recipients.keys))
        self.ledger.accepted(entry.number)
    }

    private func deliver(
        to address: String,
        content: [UInt8]? = nil,
        from reversePath: String = "a@x",
        isPassedOn: Bool = true
    ) {
        self.ledger.delivered(
            content ?? self.content,
            from: reversePath,
            to: address,
            isPassedOn: isPassedOn
        )
    }

    private func report(_ action: String, of address: String, by reader: String = "a@x") {
        let text = "Final-Recipient: rfc822; \(address)\r\nAction: \(action)\r\n\r\nX-Number: 0\r\n"
        self.ledger.reportRead(Array(text.utf8), by: reader)
    }

    private func violations(isReachable: Bool = true) -> [String] {
        self.ledger.settle { _ in isReachable }
        return self.ledger.violations.sorted()
    }

    @Test func whatMayBe() {
        self.deliver(to: "b@y")
        self.report("failed", of: "told@y")
        #expect(self.violations().isEmpty)
    }

    @Test func lossesAreSeen() {
        #expect(
            self.violations() == [
                "message 0 to b@y: lost without a word", "message 0 to told@y: lost without a word",
            ]
        )
    }

    /// A report that may have been lost on its way is no proof of anything.
    @Test func lossesOfReportsAreNot() {
        #expect(self.violations(isReachable: false).isEmpty)
    }

    @Test func duplicatesNeedACause() {
        self.deliver(to: "b@y")
        self.report("failed", of: "told@y")
        self.deliver(to: "b@y")
        self.ledger.doubt(self.content, about: "b@y")
        #expect(self.violations().isEmpty)
        self.deliver(to: "b@y")
        #expect(self.violations() == ["message 0 to b@y: 3 copies, 1 doubts"])
    }

    @Test func bouncesOfWhatWasDeliveredNeedACause() {
        self.deliver(to: "b@y")
        self.report("failed", of: "b@y")
        self.report("failed", of: "told@y")
        #expect(self.violations() == ["message 0 to b@y: delivered, and bounced"])
    }

    @Test func aDeathMakesWhatWasTakenDoubtful() {
        self.deliver(to: "b@y")
        self.ledger.forgotten(0, by: "b@y")
        self.report("failed", of: "b@y")
        self.report("failed", of: "told@y")
        #expect(self.violations().isEmpty)
    }

    @Test func nobodyIsToldTwiceOrAgainstHisWill() {
        self.report("failed", of: "b@y")
        self.report("failed", of: "b@y")
        self.report("failed", of: "never@y")
        self.report("delayed", of: "never@y")
        self.report("failed", of: "told@y")
        #expect(
            self.violations() == [
                "message 0 to b@y: 2 bounces",
                "message 0 to never@y: a delay that nobody asked for",
                "message 0 to never@y: a report nobody wanted",
            ]
        )
    }

    @Test func successIsToldOnceByWhoMust() {
        self.deliver(to: "b@y")
        self.deliver(to: "told@y", isPassedOn: false)
        #expect(self.violations() == ["message 0 to told@y: 0 reports of success"])
        self.report("relayed", of: "told@y")
        #expect(self.violations().count == 1)
    }

    @Test func strangersAreSeen() {
        self.deliver(to: "b@y", from: "other@x")
        self.deliver(to: "c@y")
        self.deliver(to: "b@y", content: Array("X-Number: 7\r\n".utf8))
        self.deliver(to: "never@y", content: Array("X-Number: 0\r\n\r\nother\r\n".utf8))
        self.report("failed", of: "told@y", by: "b@y")
        #expect(
            self.ledger.violations == [
                "message 0 came from <other@x>",
                "message 0 went to c@y, who is no recipient",
                "a message that nobody sent went to b@y",
                "message 0 arrived as 22 other octets",
                "b@y was told of message 0 from <a@x>",
            ]
        )
    }
}
