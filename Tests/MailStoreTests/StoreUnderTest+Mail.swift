// SPDX-License-Identifier: Apache-2.0
//
// Words for the tests: accounts, messages and what a client finds.

import MailStore
import MailSyntax
import Testing

/// Octets that are each time the same for the same seed.
struct Octets {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        self.state ^= self.state << 13
        self.state ^= self.state >> 7
        self.state ^= self.state << 17
        return self.state
    }

    mutating func below(_ limit: Int) -> Int { Int(self.next() >> 11) % max(limit, 1) }

    mutating func octets(_ count: Int) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(count + 8)
        while octets.count < count {
            var word = self.next()
            for _ in 0..<8 {
                octets.append(UInt8(truncatingIfNeeded: word))
                word >>= 8
            }
        }
        octets.removeLast(octets.count - count)
        return octets
    }
}

/// A message on its way into the store.
struct TestMessage {
    var id: UInt64
    var reversePath = "sender@example.org"
    var content: [UInt8]
    var receivedAt: Int64 = 1_700_000_000
    var perRecipient = false

    init(_ id: UInt64, _ content: [UInt8]) {
        self.id = id
        self.content = content
    }

    init(_ id: UInt64, _ text: String) { self.init(id, Array(text.utf8)) }

    var endsWithCRLF: Bool {
        self.content.isEmpty || self.content.suffix(2).elementsEqual([13, 10])
    }

    static let chunkOctets = 1 << 16

    /// The chunks that can go ahead.
    var stages: [StoreRequest] {
        (0..<(self.content.count / Self.chunkOctets)).map { index in
            let start = index * Self.chunkOctets
            let chunk = Array(self.content[start..<(start + Self.chunkOctets)])
            return .stage(MessageID(rawValue: self.id), index: index, chunk)
        }
    }

    /// The piece from `offset` on that can go ahead: a chunk, or a part of one.
    func piece(at offset: Int, octets: Int) -> StoreRequest {
        let index = offset / Self.chunkOctets
        let octets = Array(self.content[offset..<(offset + octets)])
        let id = MessageID(rawValue: self.id)
        return octets.count == Self.chunkOctets
            ? .stage(id, index: index, octets)
            : .spill(id, index: index, offset: offset % Self.chunkOctets, octets)
    }

    func append(to accounts: [AccountID], staged: Int = 0) -> StoreRequest {
        self.append(to: accounts, after: staged * Self.chunkOctets)
    }

    /// The append of what is left after so many octets went ahead.
    func append(
        to accounts: [AccountID],
        after ahead: Int,
        queue: QueueSubmission? = nil
    ) -> StoreRequest {
        .append(
            StoreRequest.Append(
                id: MessageID(rawValue: self.id),
                reversePath: Array(self.reversePath.utf8),
                content: Array(self.content[ahead...]),
                stagedChunks: ahead / Self.chunkOctets,
                spilledOctets: ahead % Self.chunkOctets,
                octets: self.content.count,
                endsWithCRLF: self.endsWithCRLF,
                deliveries: accounts,
                perRecipient: self.perRecipient,
                receivedAt: self.receivedAt,
                queue: queue
            )
        )
    }

    /// What a client gets.
    var delivered: [UInt8] {
        Array("Return-Path: <\(self.reversePath)>\r\n".utf8) + self.content
            + (self.endsWithCRLF ? [] : [13, 10])
    }
}

func address(_ text: String) throws -> Address { try #require(Address(parsing: text)) }

extension StoreUnderTest {
    /// The answer to one request.
    func ask(_ request: StoreRequest) -> StoreAnswer { self.commit([request])[0] }

    func addAccount(_ text: String, quota: Int? = nil) throws -> AccountID {
        let account = NewAccount(
            address: try address(text),
            verifier: Array("verifier of \(text)".utf8),
            recoverableSecret: nil,
            quota: quota
        )
        guard case .accountAdded(let id) = self.ask(.addAccount(account)) else {
            throw StoreError.retryable("the account was not added")
        }
        return id
    }

    func reserve(_ count: Int) throws -> UInt64 {
        guard case .reserved(let first) = self.ask(.reserveMessageIDs(count: count)) else {
            throw StoreError.retryable("no ids")
        }
        return first
    }

    /// The whole maildrop, as a client that fetches everything gets it, in parts of `part` octets.
    func contents(of account: AccountID, part: Int = 50_000) throws -> [[UInt8]] {
        let head = try self.head(account)
        let listing = try self.listing(account, below: head.nextSequence)
        let found = try listing.map { entry in
            let octets = try self.content(of: account, entry.sequence, part: part)
            #expect(octets.count == entry.octets)
            return octets
        }
        #expect(head.count == found.count)
        #expect(head.octets == found.reduce(0) { $0 + $1.count })
        return found
    }

    func content(
        of account: AccountID,
        _ sequence: UInt32,
        part: Int
    ) throws(StoreError) -> [UInt8] {
        var octets: [UInt8] = []
        while true {
            let before = octets.count
            let isLast = try self.read(
                account,
                sequence: sequence,
                offset: before,
                max: part,
                into: &octets
            )
            if isLast { return octets }
            guard octets.count == before + part else { throw .retryable("a short part") }
        }
    }
}

extension StoreAnswer {
    var failure: StoreError? {
        if case .failed(let error) = self { error } else { nil }
    }

    var results: [DeliveryResult]? {
        if case .appended(let results) = self { results } else { nil }
    }

    var isDone: Bool { self.failure == nil }
}

extension [StoreAnswer] {
    var allDone: Bool { self.allSatisfy { $0.isDone } }
}

extension [UInt8] {
    /// So many octets by chance, always the same.
    init(seeded count: Int) {
        var random = Octets(seed: UInt64(count))
        self = random.octets(count)
    }
}

extension AddressEntry {
    var isNothing: Bool {
        if case .none = self { true } else { false }
    }
}
