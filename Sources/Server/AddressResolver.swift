// SPDX-License-Identifier: Apache-2.0
//
// Follows an address through aliases, subaddresses and the catch-all to the maildrops it stands
// for, and to the addresses of other domains that aliases lead to. It runs beside the store's
// reader, off the loop.

package import MailStore
package import MailSyntax

/// Resolves addresses with the store's reader.
package struct AddressResolver {
    let reader: MailStoreReader
    let policy: AddressPolicy

    /// An alias may lead to so many maildrops and addresses elsewhere, and through so many further
    /// aliases.
    private static let targetsMax = 5000
    private static let visitsMax = 20_000

    /// Where the mail of a local address goes.
    package func resolve(_ address: Address) throws(StoreError) -> AddressResolution {
        guard let entry = try self.entry(of: address) else { return .unknown }
        var mailboxes: [MailboxTarget] = []
        var elsewhere: [Address] = []
        var seen: Set<Address> = []
        var waiting = [entry]
        var visits = 0
        while let next = waiting.popLast() {
            visits += 1
            let count = mailboxes.count + elsewhere.count
            guard visits <= Self.visitsMax, count < Self.targetsMax else { break }
            switch next {
            case .account(let record):
                if !mailboxes.contains(where: { $0.account == record.id }) {
                    mailboxes.append(try self.target(record))
                }
            case .alias(let targets):
                for target in targets.reversed() where seen.insert(target).inserted {
                    if !self.policy.localDomains.contains(Array(target.domain)) {
                        elsewhere.append(target)
                    } else if let entry = try self.entry(of: target) {
                        waiting.append(entry)
                    }
                }
            }
        }
        // An alias whose targets are all gone must not swallow mail.
        guard !mailboxes.isEmpty || !elsewhere.isEmpty else { return .unknown }
        return .targets(mailboxes, elsewhere: elsewhere)
    }

    /// The members of an alias, or the mailbox itself; nil when the address is unknown.
    package func expand(_ address: Address) throws(StoreError) -> [UInt8]? {
        guard let entry = try self.entry(of: address) else { return nil }
        switch entry {
        case .account(let record):
            return Array(record.address.text.utf8)
        case .alias(let targets):
            return Array(targets.map(\.text).joined(separator: "\n").utf8)
        }
    }

    private enum Entry {
        case account(AccountRecord)
        case alias([Address])
    }

    private func target(_ record: AccountRecord) throws(StoreError) -> MailboxTarget {
        guard let quota = record.quota else {
            return MailboxTarget(account: record.id, quota: nil, octets: 0)
        }
        let head = try self.reader.maildropHead(record.id)
        return MailboxTarget(account: record.id, quota: quota, octets: head.octets)
    }

    /// The address itself, without its detail, postmaster's stand-in, then the catch-all.
    private func entry(of address: Address) throws(StoreError) -> Entry? {
        if let found = try self.exact(address) { return found }
        if let delimiter = self.policy.delimiter,
            let plain = address.removingDetail(separator: delimiter),
            let found = try self.exact(plain)
        {
            return found
        }
        if address.isPostmaster, let found = try self.exact(self.policy.postmaster) {
            return found
        }
        if let catchAll = self.policy.catchAll, catchAll.domain.elementsEqual(address.domain) {
            return try self.exact(catchAll)
        }
        return nil
    }

    private func exact(_ address: Address) throws(StoreError) -> Entry? {
        switch try self.reader.resolve(address) {
        case .account(let record): .account(record)
        case .alias(let targets): .alias(targets)
        case .none: nil
        }
    }
}
