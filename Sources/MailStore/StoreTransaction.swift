// SPDX-License-Identifier: Apache-2.0
//
// One request at a time inside a transaction. Each is judged first and written then: a refusal
// leaves nothing behind, and what is thrown ends the whole transaction.

internal import MailSyntax

/// The statements that carry requests out.
final class StoreTransaction {
    /// What is left behind for later transactions to remove.
    enum Garbage: Equatable {
        /// The chunks of an id that stands in `staged`.
        case chunks(MessageRow)
        /// The maildrop of an account that stands in `removed`.
        case maildrop(AccountID)
    }

    let database: Database
    /// The garbage that this transaction leaves.
    var garbage: [Garbage] = []
    /// Destinations for which recipients came, went or got another time, and whether one of them
    /// took mail; their rows are brought up to date once, at the end.
    var touched: [[UInt8]: Bool] = [:]

    init(database: Database) {
        self.database = database
    }

    func carryOut(_ request: StoreRequest) throws(StoreError) -> StoreAnswer {
        switch request {
        case .append(let message): try self.append(message)
        case .stage(let id, let index, let octets): try self.stage(id, index, octets)
        case .spill(let id, let index, let offset, let octets):
            try self.spill(id, index, offset, octets)
        case .unstage(let id): try self.unstage(id)
        case .delete(let account, let incarnation, let sequences):
            try self.delete(account, incarnation, sequences)
        case .reserveMessageIDs(let count): try self.reserveMessageIDs(count)
        case .addAccount(let account): try self.addAccount(account)
        case .setPassword(let address, let verifier, let secret):
            try self.setPassword(address, verifier, secret)
        case .improveVerifier(let address, let old, let new):
            try self.improveVerifier(address, old, new)
        case .removeAccount(let address): try self.removeAccount(address)
        case .setQuota(let address, let quota): try self.setQuota(address, quota)
        case .addAlias(let address, let targets): try self.addAlias(address, targets)
        case .removeAlias(let address): try self.removeAlias(address)
        case .settle(let settlements): try self.settle(settlements)
        case .rest(let destination, let until, let failures, let reason, let at):
            try self.rest(destination, until, failures, reason, at)
        case .wake(let destination, let now): try self.wake(destination, now)
        case .appendReport(let report, let closing): try self.appendReport(report, closing)
        case .closeReports(let closing): try self.closeReports(closing)
        case .changeQueue(let change, let selector, let after, let now):
            try self.changeQueue(change, selector, after, now)
        }
    }

    private func reserveMessageIDs(_ count: Int) throws(StoreError) -> StoreAnswer {
        guard
            let first = try self.database.number("SELECT next FROM counter WHERE name = 'message'")
        else { throw .foreign("the store has no counter of message ids") }
        let update = try self.database.statement(
            "UPDATE counter SET next = ?1 WHERE name = 'message'"
        )
        update.bind(1, first + count)
        try update.run()
        return .reserved(first: UInt64(first))
    }
}

/// The state of a maildrop, as a transaction sees it.
struct MaildropState {
    let incarnation: UInt64
    let nextSequence: Int
    let count: Int
    let octets: Int
    let quota: Int?
}

extension Database {
    /// The counters of a maildrop; nil when the account is gone.
    func maildropState(_ account: AccountID) throws(StoreError) -> MaildropState? {
        let select = try self.statement(
            """
            SELECT incarnation, next_seq, count, octets, quota FROM maildrop_head
            WHERE account = ?1
            """
        )
        select.bind(1, account.rawValue)
        defer { select.reset() }
        guard try select.step() else { return nil }
        return MaildropState(
            incarnation: UInt64(select.int(0)),
            nextSequence: select.int(1),
            count: select.int(2),
            octets: select.int(3),
            quota: select.optionalInt(4)
        )
    }
}
