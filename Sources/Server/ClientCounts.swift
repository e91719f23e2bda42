// SPDX-License-Identifier: Apache-2.0
//
// Connections per client, where a client is an IPv4 address or an IPv6 /64.

internal import MailBytes

/// How many connections each client has.
struct ClientCounts {
    private var counts: [NetworkAddress: Int] = [:]

    /// Counts a connection in, unless the client has as many as it may.
    mutating func enter(_ client: NetworkAddress, max: Int) -> Bool {
        let count = self.counts[client] ?? 0
        guard count < max else { return false }
        self.counts[client] = count + 1
        return true
    }

    /// Counts a connection out.
    mutating func leave(_ client: NetworkAddress) {
        let left = (self.counts[client] ?? 0) - 1
        self.counts[client] = left > 0 ? left : nil
    }
}
