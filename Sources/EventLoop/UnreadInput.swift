// SPDX-License-Identifier: Apache-2.0
//
// What a stream keeps of its input from one delivery to the next: most often nothing, sometimes the
// beginning of a line, and up to a whole read while its handler is suspended or has yielded.

internal import MailBytes

/// Octets received and not consumed.
struct UnreadInput {
    private(set) var octets: [UInt8] = []
    /// Where the first unconsumed octet stands.
    private(set) var start = 0

    var count: Int { self.octets.count - self.start }
    var isEmpty: Bool { self.start == self.octets.count }

    /// Forgets the first octets; their memory goes when all are gone.
    mutating func consume(_ count: Int) {
        self.start += count
        if self.isEmpty { self.removeAll() }
    }

    /// Keeps these octets and none of those before.
    mutating func replace(with rest: borrowing Span<UInt8>) {
        self.removeAll()
        if !rest.isEmpty { self.octets.append(rest) }
    }

    /// Keeps these octets behind those before.
    mutating func append(_ more: borrowing Span<UInt8>) { self.octets.append(more) }

    /// Copies them to where there is room for `count` octets.
    func copy(to buffer: UnsafeMutablePointer<UInt8>) {
        for offset in 0..<self.count { unsafe buffer[offset] = self.octets[self.start + offset] }
    }

    mutating func removeAll() {
        self.octets = []
        self.start = 0
    }
}
