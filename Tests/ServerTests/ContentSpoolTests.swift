// SPDX-License-Identifier: Apache-2.0

import MailStore
import MailSyntax
import StoreSupport
import Testing

@testable import Server

@Suite("Content on its way in")
struct ContentSpoolTests {
    private func octets(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 251) }
    }

    @Test(
        "Whatever the pieces, the store has the message whole",
        arguments: [1, 4095, 4096, 65_535, 65_536, 65_537, 200_000, 262_144],
        [1000, 4096, 16_384, 65_536]
    )
    func whole(count: Int, step: Int) throws {
        let disk = try TemporaryStore()
        let address = try #require(Address(parsing: "a@example.test"))
        let account = NewAccount(
            address: address,
            verifier: [],
            recoverableSecret: nil,
            quota: nil
        )
        _ = disk.store.commit([.addAccount(account)])
        let id = try #require(try disk.reader.account(address)).id
        // Every third piece goes ahead although it fills no chunk.
        for everyPiece in [false, true] {
            let message = MessageID(rawValue: everyPiece ? 2 : 1)
            let content = self.octets(count)
            let append = try Self.send(content, as: message, step, everyPiece, to: id, disk.store)
            guard case .appended(let results) = disk.store.commit([append])[0] else {
                Issue.record("not appended")
                return
            }
            #expect(results == [.delivered])
            var read: [UInt8] = []
            _ = try disk.reader.read(
                id,
                sequence: UInt32(message.rawValue),
                offset: 0,
                max: .max,
                into: &read
            )
            #expect(read == Array("Return-Path: <>\r\n".utf8) + content + [13, 10])
        }
    }

    private static func send(
        _ content: [UInt8],
        as id: MessageID,
        _ step: Int,
        _ everyPiece: Bool,
        to account: AccountID,
        _ store: MailStore
    ) throws -> StoreRequest {
        var spool = ContentSpool(id: id, expecting: 0)
        var start = 0
        while start < content.count {
            let end = min(start + step, content.count)
            let grown = spool.append(content.span.extracting(start..<end))
            #expect(grown == end - start)
            while spool.holdsFullChunk || everyPiece && spool.holdsPiece {
                let piece = spool.takePiece()
                guard case .staged = store.commit([piece.request])[0] else {
                    throw StoreError.retryable("not staged")
                }
                spool.pieceAnswered(octets: piece.octets, nil)
            }
            start = end
        }
        let (isReady, endsWithCRLF) = (spool.isReadyToAppend, spool.endsWithCRLF)
        #expect(isReady)
        #expect(!endsWithCRLF)
        let staged = spool.staged
        return .append(
            StoreRequest.Append(
                id: id,
                reversePath: [],
                content: spool.takeTail(),
                stagedChunks: staged.chunks,
                spilledOctets: staged.octets,
                octets: content.count,
                endsWithCRLF: false,
                deliveries: [account],
                perRecipient: false,
                receivedAt: 0
            )
        )
    }

    @Test("The line end is seen across pieces")
    func lineEnd() {
        for (parts, expected) in [
            (["a\r\n"], true), (["a\r", "\n"], true), (["a", "\r\n"], true), (["a\n"], false),
            (["\r\n", "a"], false), (["\r", "\r\n"], true), (["\r\n", ""], true), ([], true),
        ] {
            var spool = ContentSpool(id: MessageID(rawValue: 1), expecting: 10)
            for part in parts {
                let octets = Array(part.utf8)
                _ = spool.append(octets.span)
            }
            let endsWithCRLF = spool.endsWithCRLF
            #expect(endsWithCRLF == expected, "\(parts)")
        }
    }

    @Test("A session holds a bounded part of a message, and nothing of one that has failed")
    func bounded() {
        var spool = ContentSpool(id: MessageID(rawValue: 1), expecting: 1 << 30)
        let octets = self.octets(1 << 16)
        _ = spool.append(octets.span)
        var congested = [spool.isCongested]
        let piece = spool.takePiece()
        _ = spool.append(octets.span)
        congested.append(spool.isCongested)
        spool.pieceAnswered(octets: piece.octets, .full)
        congested.append(spool.isCongested)
        #expect(congested == [false, true, false])
        let (grown, count) = (spool.append(octets.span), spool.octets)
        #expect(grown == 0)
        #expect(count == 3 << 16)
    }
}

@Suite("Pace")
struct PaceMeterTests {
    private let limits: ServerLimits = {
        var limits = ServerLimits()
        limits.idleSeconds = 300
        limits.transactionSeconds = 1000
        limits.contentOctetsPerSecondMin = 100
        return limits
    }()

    @Test("Outside content only silence and the whole count")
    func outside() {
        var pace = PaceMeter()
        #expect(pace.nextCheck(at: 50, limits: self.limits) == 300)
        pace.start(at: 100)
        #expect(pace.nextCheck(at: 100, limits: self.limits) == 300)
        #expect(pace.nextCheck(at: 900, limits: self.limits) == 200)
        #expect(pace.check(octets: 0, at: 1099, limits: self.limits) == .goOn)
        #expect(pace.check(octets: 0, at: 1100, limits: self.limits) == .late)
    }

    @Test("In content the rate is looked at every half minute")
    func rate() {
        var pace = PaceMeter()
        pace.startContent(at: 100, limits: self.limits)
        #expect(pace.nextCheck(at: 100, limits: self.limits) == 30)
        // Octets that come in between do not move the next look.
        #expect(pace.nextCheck(at: 120, limits: self.limits) == 10)
        #expect(pace.check(octets: 3000, at: 130, limits: self.limits) == .goOn)
        #expect(pace.nextCheck(at: 130, limits: self.limits) == 30)
        #expect(pace.check(octets: 5999, at: 160, limits: self.limits) == .tooSlow)
    }

    @Test("Silence counts from the last octet seen, unless the server caused it")
    func silence() {
        var pace = PaceMeter()
        pace.startContent(at: 0, limits: self.limits)
        #expect(pace.check(octets: 1 << 20, at: 30, limits: self.limits) == .goOn)
        #expect(pace.check(octets: 1 << 20, at: 329, limits: self.limits) == .goOn)
        pace.excuse(at: 329)
        #expect(pace.check(octets: 1 << 20, at: 628, limits: self.limits) == .goOn)
        #expect(pace.check(octets: 1 << 20, at: 629, limits: self.limits) == .late)
    }
}
