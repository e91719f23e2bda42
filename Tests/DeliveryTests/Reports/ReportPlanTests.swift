// SPDX-License-Identifier: Apache-2.0

import MailSyntax
import Testing

@testable import Delivery

@Suite struct ReportPlanTests {
    /// RFC 3461, section 4.1: what is reported of each outcome by what was asked for.
    @Test(
        arguments: [
            (NotifyConditions(), "failed delayed"), (.never, ""), (.failure, "failed"),
            (.delay, "delayed"), (.success, "delivered relayed"),
            ([.success, .failure], "failed delivered relayed"),
            ([.success, .failure, .delay], "failed delayed delivered relayed"),
            ([.never, .success, .failure], ""),
        ] as [(NotifyConditions, String)]
    )
    func whatIsDue(notify: NotifyConditions, due: String) {
        let outcomes: [(ReportPlan.Outcome, String)] = [
            (.failed, "failed"), (.delayed, "delayed"), (.delivered, "delivered"),
            (.relayed, "relayed"),
        ]
        let found = outcomes.filter { ReportPlan.isDue($0.0, notify: notify) }.map(\.1)
        #expect(found.joined(separator: " ") == due)
        let rows = outcomes.enumerated().map { index, outcome in
            ReportPlan.Row(number: index, notify: notify, outcome: outcome.0)
        }
        let plan = ReportPlan(rows: rows, reversePath: [0x61])
        #expect(plan.reported.map(\.action.rawValue).joined(separator: " ") == due)
        #expect(plan.reported.count + plan.silent.count == 4)
        #expect(plan.postponed.isEmpty)
    }

    /// Nobody is told of what became of a report.
    @Test func nothingToTheNullReversePath() {
        let row = ReportPlan.Row(number: 7, notify: [.failure, .success], outcome: .failed)
        let plan = ReportPlan(rows: [row], reversePath: [])
        #expect(plan.reported.isEmpty)
        #expect(plan.silent == [7])
    }

    @Test func aReportIsBounded() {
        let rows = (0..<500).map { number in
            ReportPlan.Row(
                number: number,
                notify: number % 2 == 0 ? .never : .failure,
                outcome: .failed
            )
        }
        let plan = ReportPlan(rows: rows, reversePath: [0x61])
        #expect(plan.reported.map(\.number) == (0..<200).map { 2 * $0 + 1 })
        #expect(plan.silent == (0..<250).map { 2 * $0 })
        #expect(plan.postponed == (200..<250).map { 2 * $0 + 1 })
    }
}
