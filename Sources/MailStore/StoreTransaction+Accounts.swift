// SPDX-License-Identifier: Apache-2.0
//
// Accounts and aliases. An address is one or the other.

internal import MailSyntax

extension StoreTransaction {
    // MARK: - Accounts

    func addAccount(_ account: NewAccount) throws(StoreError) -> StoreAnswer {
        if try self.isTaken(account.address) { return .failed(.exists) }
        let row = try self.database.statement(
            "INSERT INTO account (address, verifier, secret) VALUES (?1, ?2, ?3)"
        )
        row.bind(1, account.address.octets)
        row.bind(2, account.verifier)
        row.bind(3, account.recoverableSecret)
        try row.run()
        let id = self.database.lastInsertedRow
        let head = try self.database.statement(
            "INSERT INTO maildrop_head VALUES (?1, ?2, 1, 0, 0, ?3)"
        )
        head.bind(1, id)
        head.bind(2, Schema.newIncarnation())
        head.bind(3, account.quota)
        try head.run()
        return .accountAdded(AccountID(rawValue: id))
    }

    func setPassword(
        _ address: Address,
        _ verifier: [UInt8],
        _ secret: [UInt8]?
    ) throws(StoreError) -> StoreAnswer {
        let update = try self.database.statement(
            "UPDATE account SET verifier = ?2, secret = ?3 WHERE address = ?1"
        )
        update.bind(1, address.octets)
        update.bind(2, verifier)
        update.bind(3, secret)
        return try self.change(with: update)
    }

    /// Only while the password is the one that the better verifier was made from: it may have been
    /// changed since.
    func improveVerifier(
        _ address: Address,
        _ old: [UInt8],
        _ new: [UInt8]
    ) throws(StoreError) -> StoreAnswer {
        let update = try self.database.statement(
            "UPDATE account SET verifier = ?3 WHERE address = ?1 AND verifier = ?2"
        )
        update.bind(1, address.octets)
        update.bind(2, old)
        update.bind(3, new)
        return try self.change(with: update)
    }

    func setQuota(_ address: Address, _ quota: Int?) throws(StoreError) -> StoreAnswer {
        let update = try self.database.statement(
            """
            UPDATE maildrop_head SET quota = ?2
            WHERE account = (SELECT id FROM account WHERE address = ?1)
            """
        )
        update.bind(1, address.octets)
        update.bind(2, quota)
        return try self.change(with: update)
    }

    /// The account is gone at once; its mail follows in portions.
    func removeAccount(_ address: Address) throws(StoreError) -> StoreAnswer {
        let select = try self.database.statement("SELECT id FROM account WHERE address = ?1")
        select.bind(1, address.octets)
        let id = try select.step() ? select.int64(0) : nil
        select.reset()
        guard let id else { return .failed(.notFound) }
        for text: StaticString in [
            "DELETE FROM account WHERE id = ?1",
            "DELETE FROM maildrop_head WHERE account = ?1",
            "INSERT INTO removed VALUES (?1)",
        ] {
            let change = try self.database.statement(text)
            change.bind(1, id)
            try change.run()
        }
        self.garbage.append(.maildrop(AccountID(rawValue: id)))
        return .changed
    }

    private func change(with update: Statement) throws(StoreError) -> StoreAnswer {
        try update.run()
        return self.database.changes == 1 ? .changed : .failed(.notFound)
    }

    private func isTaken(_ address: Address) throws(StoreError) -> Bool {
        let select = try self.database.statement(
            """
            SELECT 1 FROM account WHERE address = ?1 UNION ALL
            SELECT 1 FROM alias WHERE address = ?1
            """
        )
        select.bind(1, address.octets)
        defer { select.reset() }
        return try select.step()
    }

    // MARK: - Aliases

    /// Aliases are followed so far when a circle is looked for.
    private static let aliasVisitsMax = 10_000

    func addAlias(_ address: Address, _ targets: [Address]) throws(StoreError) -> StoreAnswer {
        if try self.isTaken(address) { return .failed(.exists) }
        guard !targets.isEmpty else { return .failed(.notFound) }
        var waiting = targets
        var seen: Set<Address> = []
        while let next = waiting.popLast() {
            guard next != address, seen.count < Self.aliasVisitsMax else {
                return .failed(.aliasLoop)
            }
            guard seen.insert(next).inserted else { continue }
            waiting += try self.database.aliasTargets(of: next) ?? []
        }
        let row = try self.database.statement("INSERT INTO alias VALUES (?1, ?2)")
        row.bind(1, address.octets)
        row.bind(2, Array(targets.map(\.octets).joined(separator: [0x0a])))
        try row.run()
        return .changed
    }

    func removeAlias(_ address: Address) throws(StoreError) -> StoreAnswer {
        let remove = try self.database.statement("DELETE FROM alias WHERE address = ?1")
        remove.bind(1, address.octets)
        return try self.change(with: remove)
    }
}

extension Schema {
    /// A maildrop's life has a number by chance, because a counter would be set back by a restored
    /// backup.
    ///
    /// It has ten hexadecimal digits.
    static func newIncarnation() -> Int64 { Int64.random(in: (1 << 36)..<(1 << 40)) }
}

extension Database {
    /// Where an alias leads; nil when there is none.
    func aliasTargets(of address: Address) throws(StoreError) -> [Address]? {
        let select = try self.statement("SELECT targets FROM alias WHERE address = ?1")
        select.bind(1, address.octets)
        defer { select.reset() }
        guard try select.step() else { return nil }
        return select.addresses(0)
    }
}
