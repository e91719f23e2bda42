// SPDX-License-Identifier: Apache-2.0
//
// Who is told of what: which outcomes of a message are reported at all (RFC 3461, sections 5 and
// 6).

package import MailSyntax

/// Which recipients of a message a report tells of, and which outcomes end in silence.
package struct ReportPlan: Hashable, Sendable {
    /// What became of a recipient.
    package enum Outcome: Hashable, Sendable {
        case failed
        case delayed
        case delivered
        /// The next hop takes mail without DSN; with DSN it is the one who reports.
        case relayed
    }

    /// A recipient whose outcome may have to be reported.
    package struct Row: Hashable, Sendable {
        package var number: Int
        package var notify: NotifyConditions
        package var outcome: Outcome

        package init(number: Int, notify: NotifyConditions, outcome: Outcome) {
            self.number = number
            self.notify = notify
            self.outcome = outcome
        }
    }

    /// Most recipients that one report tells of.
    package static let recipientsMax = 200

    /// The numbers of the recipients that one report is to tell of, in order, and how.
    package private(set) var reported: [Told] = []
    /// The numbers of those of whom nobody is told.
    package private(set) var silent: [Int] = []
    /// The numbers of those that wait for another report, because this one is full.
    package private(set) var postponed: [Int] = []

    /// A recipient that is told of.
    package struct Told: Hashable, Sendable {
        package let number: Int
        package let action: ReportedAction
    }

    /// The plan for the rows of one message.
    ///
    /// Nothing is reported to the null reverse-path: a report is never answered by a report
    /// (RFC 3461, section 6.1).
    package init(rows: [Row], reversePath: [UInt8]) {
        for row in rows {
            if reversePath.isEmpty || !Self.isDue(row.outcome, notify: row.notify) {
                self.silent.append(row.number)
            } else if self.reported.count == Self.recipientsMax {
                self.postponed.append(row.number)
            } else {
                let told = Told(number: row.number, action: Self.action(of: row.outcome))
                self.reported.append(told)
            }
        }
    }

    /// Whether a sender who asked for `notify` wants to know of `outcome` (RFC 3461, section 4.1).
    package static func isDue(_ outcome: Outcome, notify: NotifyConditions) -> Bool {
        guard !notify.contains(.never) else { return false }
        return switch outcome {
        case .failed: notify.wantsFailure
        case .delayed: notify.wantsDelay
        case .delivered, .relayed: notify.contains(.success)
        }
    }

    private static func action(of outcome: Outcome) -> ReportedAction {
        switch outcome {
        case .failed: .failed
        case .delayed: .delayed
        case .delivered: .delivered
        case .relayed: .relayed
        }
    }
}
