// SPDX-License-Identifier: Apache-2.0
//
// The content of one message on its way in. What is small stays in memory until it is appended;
// of what is large, full chunks go ahead to the store, unreferenced, so that a session never holds
// more than a few chunks.

internal import MailBytes
internal import MailStore
internal import MailSyntax

/// One message while it is being received.
struct ContentSpool: ~Copyable {
    /// Why the message cannot be kept.
    enum Failure {
        case full
        case failed
    }

    let id: MessageID
    /// The octets that are not with the store yet.
    private(set) var tail: [UInt8] = []
    /// How many chunks went ahead.
    private(set) var stagedChunks = 0
    /// How many of them the store has not answered for.
    private(set) var unansweredChunks = 0
    /// The octets of the whole message so far.
    private(set) var octets = 0
    private(set) var failure: Failure?
    private var lastOctets: (UInt8, UInt8) = (0, 0)

    init(id: MessageID, expecting octets: Int) {
        self.id = id
        self.tail.reserveCapacity(min(max(octets + 512, 2048), Self.chunkOctets))
    }

    /// Chunks of this many octets go to the store; the last one may be shorter.
    static let chunkOctets = 1 << 16

    /// So many chunks may be on their way to the store before the peer is made to wait.
    static let unansweredChunksMax = 2

    var endsWithCRLF: Bool { self.lastOctets == (.cr, .lf) || self.octets == 0 }

    /// Whether the peer must wait for the store.
    var isCongested: Bool { self.unansweredChunks >= Self.unansweredChunksMax }

    /// Takes octets in; returns by how much the memory held has grown.
    mutating func append(_ span: borrowing Span<UInt8>) -> Int {
        guard span.count > 0 else { return 0 }
        let count = span.count
        self.octets += count
        let before = count > 1 ? span[count - 2] : self.lastOctets.1
        self.lastOctets = (before, span[count - 1])
        guard self.failure == nil else { return 0 }
        self.tail.append(span)
        return count
    }

    /// The next full chunk, if there is one.
    mutating func takeFullChunk() -> [UInt8]? {
        guard self.tail.count >= Self.chunkOctets else { return nil }
        let chunk = Array(self.tail[..<Self.chunkOctets])
        self.tail.removeFirst(Self.chunkOctets)
        self.stagedChunks += 1
        self.unansweredChunks += 1
        return chunk
    }

    /// The store has answered for one chunk.
    mutating func chunkAnswered(_ failure: Failure?) {
        self.unansweredChunks -= 1
        if let failure { self.fail(failure) }
    }

    /// Nothing more is kept of a message that cannot be stored.
    mutating func fail(_ failure: Failure) {
        self.failure = failure
        self.tail = []
    }

    /// The rest, for the append that makes the message visible.
    consuming func takeTail() -> [UInt8] { self.tail }
}
