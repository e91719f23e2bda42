// SPDX-License-Identifier: Apache-2.0

@testable import EventLoop
import Foundation
import Testing

/// Sessions that clients keep, and the keys that seal them.
@Suite("TLS: session tickets", .timeLimit(.minutes(2)))
struct TicketTests {
    private static func path() -> String {
        TestCertificates.shared.path("tickets-\(UUID().uuidString)")
    }

    private static func client(_ version: TLSOptions.Version) throws -> TLSService {
        var options = TLSClientOptions()
        options.version = version
        options.resumesSessions = true
        return try TLSService(options)
    }

    @Test("All tickets offered are resumed", arguments: [TLSOptions.Version.tls12, .tls13])
    func resumption(version: TLSOptions.Version) throws {
        let keys = try TicketKeys(path: nil, hours: 1)
        var resumed: [Bool?] = []
        let harness = try LoopHarness(tls: .forTests { $0.ticketKeys = keys }) { handler, _ in
            handler.onSecured = { stream in
                resumed.append(stream.tls?.isResumed)
                stream.send("220 ready\n")
            }
        }
        harness.connect(200, try Self.client(version))
        #expect(resumed == [false] + Array(repeating: true, count: 199))
    }

    @Test("Another library's way of asking: Python keeps its sessions", arguments: ["2", "3"])
    func python(version: String) throws {
        let keys = try TicketKeys(path: nil, hours: 1)
        let harness = try LoopHarness(tls: .forTests { $0.ticketKeys = keys })
        let said = harness.python(
            """
            c = context(version="TLSv1_\(version)")
            session = None
            for n in range(20):
                s = secure(c=c, session=session)
                line(s)
                print(s.session_reused)
                session = s.session
                s.close()
            """
        )
        #expect(said == "False" + String(repeating: "\nTrue", count: 19))
    }

    @Test(
        "Sessions outlive a restart and new certificates",
        arguments: [
            TLSOptions.Version.tls12, .tls13,
        ]
    )
    func restart(version: TLSOptions.Version) throws {
        let path = Self.path()
        let client = try Self.client(version)
        let files = [TestCertificates.shared.ecdsa, TestCertificates.shared.rsa]
        for (start, file) in files.enumerated() {
            let keys = try TicketKeys(path: path, hours: 1)
            let service = try TLSService.forTests([file]) { $0.ticketKeys = keys }
            let harness = try LoopHarness(tls: service)
            harness.connect(5, client)
            #expect(harness.loop.handshakes.resumed == (start == 0 ? 8 : 10), "at either end")
        }
    }

    @Test("Without keys no session is resumed, and every connection succeeds")
    func withoutKeys() throws {
        let harness = try LoopHarness(tls: .forTests())
        harness.connect(3, try Self.client(.tls12))
        harness.connect(3, try Self.client(.tls13))
        #expect(harness.loop.handshakes.resumed == 0)
        #expect(harness.loop.handshakes.done == 12)
    }

    @Test("A session is not resumed where other authorities vouch for clients")
    func otherAuthorities() throws {
        let keys = try TicketKeys(path: nil, hours: 1)
        let client = try Self.client(.tls12)
        let certificates = TestCertificates.shared
        for authority in [certificates.authority.chainPath, certificates.stranger.chainPath] {
            let service = try TLSService.forTests {
                $0.ticketKeys = keys
                $0.clientAuthoritiesPath = authority
            }
            let harness = try LoopHarness(tls: service)
            harness.connect(1, client)
            #expect(harness.loop.handshakes == HandshakeCounts(begun: 2, done: 2))
        }
    }

    @Test("A key seals for its time, opens for as long again, and is then forgotten")
    func rotation() throws {
        var now = 1_000_000
        let path = Self.path()
        let keys = try TicketKeys(path: path, hours: 1) { now }
        let first = keys.sealingKey()
        now += 3599
        #expect(keys.sealingKey() == first)
        now += 1
        let second = keys.sealingKey()
        #expect(second != first)
        let found = try #require(keys.openingKey(Array(first.name)))
        #expect(found.0 == first && !found.isCurrent)
        #expect(keys.openingKey(Array(second.name))?.isCurrent == true)
        #expect(keys.openingKey([UInt8](repeating: 0, count: 16)) == nil)
        // Another process finds both.
        let other = try TicketKeys(path: path, hours: 1) { now }
        #expect(other.sealingKey() == second)
        #expect(other.openingKey(Array(first.name))?.0 == first)
        now += 3600
        #expect(keys.openingKey(Array(first.name)) == nil)
        #expect(keys.openingKey(Array(second.name))?.0 == second)
    }

    @Test("Keys of long ago, or of a time to come, are not used", arguments: [-7200, 1, 1_000_000])
    func wrongTime(offset: Int) throws {
        let path = Self.path()
        var now = 10_000_000
        let first = try TicketKeys(path: path, hours: 1) { now }.sealingKey()
        now -= offset
        let keys = try TicketKeys(path: path, hours: 1) { now }
        #expect(keys.sealingKey() != first)
        #expect(keys.openingKey(Array(first.name)) == nil)
    }

    @Test("The file is ours alone; one that others may read, or that is cut, gives no keys")
    func file() throws {
        let path = Self.path()
        func mode() throws -> Int? {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            return (attributes[.posixPermissions] as? NSNumber)?.intValue
        }
        let first = try TicketKeys(path: path, hours: 1).sealingKey()
        #expect(try mode() == 0o600)
        #expect(try TicketKeys(path: path, hours: 1).sealingKey() == first)
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        let second = try TicketKeys(path: path, hours: 1).sealingKey()
        #expect(second != first)
        #expect(try mode() == 0o600)
        let content = try Data(contentsOf: URL(fileURLWithPath: path))
        try content.dropLast().write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        #expect(try TicketKeys(path: path, hours: 1).sealingKey() != second)
        #expect(throws: TLSError.self) { try TicketKeys(path: "\(path)/below", hours: 1) }
    }
}
