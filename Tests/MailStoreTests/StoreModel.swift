// SPDX-License-Identifier: Apache-2.0
//
// What a store should hold, kept in memory in the simplest way.

@testable import MailStore
import MailSyntax

/// The expected state of a store.
struct StoreModel {
    struct Maildrop {
        /// Unknown until the account was answered for.
        var account: AccountID?
        var incarnation: UInt64?
        var verifier: [UInt8]
        var quota: Int?
        var nextSequence: UInt32 = 1
        var messages: [(sequence: UInt32, id: UInt64)] = []
    }

    var maildrops: [Address: Maildrop] = [:]
    var aliases: [Address: [Address]] = [:]
    /// What readers get, by message id.
    var contents: [UInt64: [UInt8]] = [:]
    var reservedEnd: UInt64 = 1
    var queue: [UInt64: Queued] = [:]
    /// Of all destinations for which something waits.
    var rests: [[UInt8]: Rest] = [:]

    func octets(of maildrop: Maildrop) -> Int {
        maildrop.messages.reduce(0) { $0 + (self.contents[$1.id]?.count ?? 0) }
    }

    mutating func deliver(_ id: UInt64, _ delivered: [UInt8], to address: Address) {
        self.contents[id] = delivered
        guard let sequence = self.maildrops[address]?.nextSequence else { return }
        self.maildrops[address]?.messages.append((sequence, id))
        self.maildrops[address]?.nextSequence += 1
    }

    // MARK: - Comparison

    /// The first thing in which the store differs; nil when it is as it should be.
    func difference(from reader: MailStoreReader) throws(StoreError) -> String? {
        let accounts = try reader.accounts(after: nil, count: 1000)
        let expected = self.maildrops.keys.map(\.text).sorted()
        guard accounts.map(\.address.text) == expected else {
            return "accounts \(accounts.map(\.address.text)), not \(expected)"
        }
        for (address, maildrop) in self.maildrops {
            if let found = try self.difference(from: reader, address, maildrop) {
                return "\(address.text): \(found)"
            }
        }
        let aliases = try reader.aliases(after: nil, count: 1000)
        let found = aliases.map { "\($0.address.text) \($0.targets.map(\.text))" }
        let wanted = self.aliases.map { "\($0.key.text) \($0.value.map(\.text))" }.sorted()
        guard found == wanted else { return "aliases \(found), not \(wanted)" }
        return try self.queueDifference(from: reader)
    }

    private func difference(
        from reader: MailStoreReader,
        _ address: Address,
        _ maildrop: Maildrop
    ) throws(StoreError) -> String? {
        guard let record = try reader.account(address) else { return "no account" }
        if record.verifier != maildrop.verifier { return "another verifier" }
        if record.quota != maildrop.quota { return "another quota" }
        if let account = maildrop.account, account != record.id { return "another account" }
        let head = try reader.maildropHead(record.id)
        if let incarnation = maildrop.incarnation, incarnation != head.incarnation {
            return "another incarnation"
        }
        guard head.nextSequence == maildrop.nextSequence else {
            return "next sequence \(head.nextSequence), not \(maildrop.nextSequence)"
        }
        let listing = try reader.listing(record.id, below: head.nextSequence)
        guard listing.map(\.sequence) == maildrop.messages.map(\.sequence) else {
            return "messages \(listing.map(\.sequence)), not \(maildrop.messages.map(\.sequence))"
        }
        guard head.count == listing.count, head.octets == self.octets(of: maildrop) else {
            return "counters \(head)"
        }
        for (entry, message) in zip(listing, maildrop.messages) {
            var octets: [UInt8] = []
            _ = try reader.read(
                record.id,
                sequence: entry.sequence,
                offset: 0,
                max: .max,
                into: &octets
            )
            guard octets == self.contents[message.id], entry.octets == octets.count else {
                return "message \(entry.sequence) is not whole"
            }
        }
        return nil
    }
}
