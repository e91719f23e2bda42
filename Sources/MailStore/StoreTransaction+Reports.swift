// SPDX-License-Identifier: Apache-2.0
//
// Reports: stored in the same transaction that ends the rows they tell of, so that none is lost
// and none is given twice.

internal import MailSyntax

extension StoreTransaction {
    func appendReport(
        _ report: StoreRequest.Append,
        _ closing: QueueReportClosing
    ) throws(StoreError) -> StoreAnswer {
        let answer = try self.append(report)
        guard case .appended(let results) = answer else { return answer }
        let isQueued = !(report.queue?.recipients.isEmpty ?? true)
        guard isQueued || results.contains(.delivered) else { return answer }
        _ = try self.closeReports(closing)
        return answer
    }

    func closeReports(_ closing: QueueReportClosing) throws(StoreError) -> StoreAnswer {
        let message = MessageRow(closing.message.rawValue)
        for number in closing.numbers {
            guard let row = try self.recipient(message, number), row.state.awaitsReport else {
                continue
            }
            try self.remove(row)
        }
        if case .given(let next) = closing.warning {
            let update = try self.database.statement(
                "UPDATE queued SET warns = ?2 WHERE message = ?1"
            )
            update.bind(1, message)
            update.bind(2, next.map { Int($0) })
            try update.run()
        }
        try self.refreshQueued(message)
        return .changed
    }
}

extension QueueState {
    /// Whether the row is there only until its report is stored.
    var awaitsReport: Bool {
        switch self {
        case .waiting, .held: false
        case .failed, .delivered, .relayed, .expanded: true
        }
    }
}
