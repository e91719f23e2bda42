// SPDX-License-Identifier: Apache-2.0
//
// A session's snapshot of a maildrop: what was in it at login, in order. Mail that arrives later
// waits for the next session. The unique-id is made here and nowhere else.

public import MailBytes

/// The messages of a maildrop as one session sees them, in the order of their message-numbers.
public struct MaildropListing: Sendable {
    /// Which life of the maildrop it is; part of each unique-id.
    public let incarnation: UInt64
    /// The place of each message in the maildrop's life; never reused.
    public let sequences: [UInt32]
    /// The size of each message in octets, exactly as RETR sends it before byte-stuffing.
    public let octets: [Int]
    /// The sum of the sizes.
    public let totalOctets: Int
    /// The highest message-number accessed in earlier sessions: what LAST begins with.
    public let accessedBefore: Int

    /// A snapshot; both arrays tell of the same messages.
    ///
    /// A store that does not remember what was accessed leaves `accessedBefore` at 0.
    public init(
        incarnation: UInt64,
        sequences: [UInt32],
        octets: [Int],
        accessedBefore: Int = 0
    ) {
        precondition(sequences.count == octets.count, "each message has a sequence and a size")
        precondition(sequences.count < Int(Int32.max), "message-numbers fit in 31 bits")
        precondition(0...sequences.count ~= accessedBefore, "only a message can be accessed")
        self.incarnation = incarnation
        self.sequences = sequences
        self.octets = octets
        var total = 0
        for size in octets { total += size }
        self.totalOctets = total
        self.accessedBefore = accessedBefore
    }

    /// How many messages there are.
    public var count: Int { self.sequences.count }

    /// Appends the unique-id of the message at `index`: 3 to 27 printable characters.
    ///
    /// Clients keep unique-ids for years: this form must never change.
    public func appendUniqueID(at index: Int, to buffer: inout ReplyBuffer) {
        buffer.append(hexadecimal: self.incarnation)
        buffer.append(.dot)
        buffer.append(decimal: Int(self.sequences[index]))
    }
}
