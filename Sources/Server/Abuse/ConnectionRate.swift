// SPDX-License-Identifier: Apache-2.0
//
// How many connections a client begins in a minute, whether they stay or not.

internal import MailBytes

/// Connections per client and minute.
struct ConnectionRate {
    private struct Entry: Fading {
        var count = SlidingCount()

        func weight(at now: Double) -> Int {
            self.count.count(at: now, window: ConnectionRate.windowSeconds)
        }
    }

    private var clients: BoundedTable<NetworkAddress, Entry>
    private static let windowSeconds: Double = 60

    init(entriesMax: Int) {
        self.clients = BoundedTable(entriesMax: entriesMax)
    }

    /// Whether nothing is remembered.
    var isEmpty: Bool { self.clients.isEmpty }

    /// Counts a connection, unless the client had `max` of them in the last minute: those that are
    /// refused do not count, or a client that keeps trying would be out for ever.
    mutating func enter(_ client: NetworkAddress, max: Int, at now: Double) -> Bool {
        self.clients.change(client, orNew: Entry(), at: now) { entry in
            guard entry.count.count(at: now, window: Self.windowSeconds) < max else { return false }
            entry.count.add(at: now, window: Self.windowSeconds)
            return true
        }
    }

    /// Forgets what is over.
    mutating func sweep(at now: Double) { self.clients.sweep(at: now) }
}
