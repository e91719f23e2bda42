// SPDX-License-Identifier: Apache-2.0
//
// The content of one message on its way in. What is small stays in memory until it is appended;
// what is large goes ahead to the store chunk by chunk, unreferenced, so that a session never holds
// more than a few chunks. When the memory of all sessions together runs short, pieces of a chunk
// go ahead as well.

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
    private var tail: [UInt8] = []
    /// How many octets went ahead to the store.
    private(set) var stagedOctets = 0
    /// How many of them the store has not answered for.
    private(set) var unansweredOctets = 0
    /// The octets of the whole message so far.
    private(set) var octets = 0
    private(set) var failure: Failure?
    private var lastOctets: (UInt8, UInt8) = (0, 0)
    private let looksForEightBit: Bool
    /// Whether an octet above 127 has come, if that is looked for.
    private(set) var hasEightBit = false

    init(id: MessageID, expecting octets: Int, looksForEightBit: Bool = false) {
        self.id = id
        self.looksForEightBit = looksForEightBit
        self.tail.reserveCapacity(min(max(octets + 512, 2048), StoreLayout.chunkOctets))
    }

    /// A session holds no more than this before its peer is made to wait.
    static let heldOctetsMax = 2 * StoreLayout.chunkOctets

    /// A piece smaller than this is not worth a write of its own.
    static let pieceOctetsMin = 4096

    var endsWithCRLF: Bool { self.lastOctets == (.cr, .lf) || self.octets == 0 }

    /// Whether the peer must wait for the store.
    var isCongested: Bool {
        self.tail.count + self.unansweredOctets >= Self.heldOctetsMax
    }

    /// Whether there is a chunk's worth of octets to go ahead.
    var holdsFullChunk: Bool { self.tail.count >= self.roomInChunk }

    /// Whether there is a piece to go ahead when memory is short.
    var holdsPiece: Bool { self.tail.count >= Self.pieceOctetsMin }

    /// Whether what is left can go with the append that makes the message visible.
    var isReadyToAppend: Bool { self.unansweredOctets == 0 && self.tail.count <= self.roomInChunk }

    private var roomInChunk: Int {
        StoreLayout.chunkOctets - self.stagedOctets % StoreLayout.chunkOctets
    }

    /// Takes octets in; returns by how much the memory held has grown.
    mutating func append(_ span: borrowing Span<UInt8>) -> Int {
        guard span.count > 0 else { return 0 }
        let count = span.count
        self.octets += count
        let before = count > 1 ? span[count - 2] : self.lastOctets.1
        self.lastOctets = (before, span[count - 1])
        guard self.failure == nil else { return 0 }
        if self.looksForEightBit, !self.hasEightBit { self.hasEightBit = Self.hasEightBit(span) }
        self.tail.append(span)
        return count
    }

    private static func hasEightBit(_ span: borrowing Span<UInt8>) -> Bool {
        var all: UInt8 = 0
        for index in span.indices { all |= span[index] }
        return all >= 0x80
    }

    /// How many full chunks went ahead, and how many octets of the next one.
    var staged: (chunks: Int, octets: Int) {
        let chunks = self.stagedOctets / StoreLayout.chunkOctets
        return (chunks, self.stagedOctets - chunks * StoreLayout.chunkOctets)
    }

    /// Takes the next octets that go ahead to the store, not over the end of a chunk, and the
    /// request that hands them over.
    mutating func takePiece() -> (request: StoreRequest, octets: Int) {
        let (index, offset) = self.staged
        let count = min(self.tail.count, self.roomInChunk)
        var piece: [UInt8] = []
        if count == self.tail.count {
            swap(&piece, &self.tail)
        } else {
            piece = Array(self.tail[..<count])
            self.tail.removeFirst(count)
        }
        self.stagedOctets += count
        self.unansweredOctets += count
        let isChunk = count == StoreLayout.chunkOctets
        return (
            isChunk
                ? .stage(self.id, index: index, piece)
                : .spill(self.id, index: index, offset: offset, piece),
            count
        )
    }

    /// The store has answered for a piece.
    mutating func pieceAnswered(octets: Int, _ failure: Failure?) {
        self.unansweredOctets -= octets
        if let failure { self.fail(failure) }
    }

    /// Nothing more is kept of a message that cannot be stored.
    private mutating func fail(_ failure: Failure) {
        self.failure = failure
        self.tail = []
    }

    /// The rest, for the append that makes the message visible.
    consuming func takeTail() -> [UInt8] { self.tail }
}
