// SPDX-License-Identifier: Apache-2.0
//
// Connections per client, where a client is an IPv4 address or an IPv6 /64.

internal import MailBytes

/// How many connections each client has.
struct ClientCounts {
    private var counts: [NetworkAddress: Int] = [:]

    /// Whether no client has any.
    var isEmpty: Bool { self.counts.isEmpty }

    /// Whether the client may have another.
    func hasRoom(_ client: NetworkAddress, max: Int) -> Bool {
        self.counts[client] ?? 0 < max
    }

    /// Counts a connection in.
    mutating func enter(_ client: NetworkAddress) {
        self.counts[client, default: 0] += 1
    }

    /// Counts a connection out.
    mutating func leave(_ client: NetworkAddress) {
        let left = (self.counts[client] ?? 0) - 1
        self.counts[client] = left > 0 ? left : nil
    }
}
