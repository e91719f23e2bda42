// SPDX-License-Identifier: Apache-2.0
//
// Reads of the queue for sites that fetch their mail: whether there is any.

/// A destination that mail waits for.
package struct WaitingDestination: Sendable, Hashable {
    package let name: [UInt8]
    /// How many recipients wait, as far as they were counted.
    package let recipients: Int

    package init(name: [UInt8], recipients: Int) {
        self.name = name
        self.recipients = recipients
    }
}

extension MailStoreReader {
    /// The destinations among `names`, and those below the domains of `below`, that have waiting
    /// recipients.
    ///
    /// An empty domain is above all. At most `max`, each once.
    package func waitingDestinations(
        _ names: [[UInt8]],
        below: [[UInt8]],
        max: Int
    ) throws(StoreError) -> [WaitingDestination] {
        var found: [WaitingDestination] = []
        var seen: Set<[UInt8]> = []
        for name in names where found.count < max && seen.insert(name).inserted {
            let count = try self.waitingRecipients(of: name)
            if count > 0 { found.append(WaitingDestination(name: name, recipients: count)) }
        }
        for domain in below {
            for name in try self.destinations(below: domain, max: max) {
                guard found.count < max, seen.insert(name).inserted else { continue }
                let count = try self.waitingRecipients(of: name)
                if count > 0 { found.append(WaitingDestination(name: name, recipients: count)) }
            }
        }
        return found
    }

    /// More than so many recipients of one destination are not counted.
    private static let countedMax = 10_000

    private func waitingRecipients(of name: [UInt8]) throws(StoreError) -> Int {
        let select = try self.database.statement(
            """
            SELECT count(*) FROM (SELECT 1 FROM recipient INDEXED BY recipient_due
                WHERE state = 0 AND destination = ?1 LIMIT ?2)
            """
        )
        select.bind(1, name)
        select.bind(2, Self.countedMax)
        defer { select.reset() }
        return try select.step() ? select.int(0) : 0
    }

    private func destinations(below domain: [UInt8], max: Int) throws(StoreError) -> [[UInt8]] {
        let select = try self.database.statement(
            """
            SELECT name FROM destination
            WHERE length(name) > ?2 AND (?2 = 0 OR substr(name, -?2) = ?1)
            ORDER BY name LIMIT ?3
            """
        )
        let suffix = domain.isEmpty ? [] : [UInt8(ascii: ".")] + domain
        select.bind(1, suffix)
        select.bind(2, suffix.count)
        select.bind(3, max)
        defer { select.reset() }
        var names: [[UInt8]] = []
        while try select.step() { names.append(select.octets(0)) }
        return names
    }
}
