// SPDX-License-Identifier: Apache-2.0
//
// Whom the resolver asks and what it believes.

import DNSProtocol
import DNSSupport
import EventLoop
import Foundation
import MailBytes
import Testing

@testable import Resolver

@Suite struct SettingsTests {
    private static let zones = DNSZones([
        .mx("example.test", 10, "mx.example.test"), .mx("example.org", 10, "mx.example.org"),
    ])

    // MARK: - Servers

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:0"), ("127.0.0.1@5353", "127.0.0.1:5353"), ("::1", "[::1]:0"),
        ("2001:db8::53@53", "[2001:db8::53]:53"), ("127.0.0.1:53", nil), ("[::1]:53", nil),
        ("[::1]", nil), ("127.0.0.1@", nil), ("127.0.0.1@0", nil), ("127.0.0.1@65536", nil),
        ("127.0.0.1@+53", nil), ("127.0.0.1@53@53", nil), ("localhost", nil), ("", nil),
        ("@53", nil),
    ])
    func serversAreRead(text: String, expected: String?) {
        #expect(ResolverSettings.server(text)?.description == expected)
    }

    @Test(arguments: [
        ("", ["127.0.0.1:0"]), ("nameserver 192.0.2.1\n", ["192.0.2.1:0"]),
        ("# nameserver 192.0.2.9\n;\nnameserver\t192.0.2.1  # why\nsearch test\n", ["192.0.2.1:0"]),
        ("nameserver ::1\r\nnameserver 192.0.2.1", ["[::1]:0", "192.0.2.1:0"]),
        ("nameserver\nnameserver nobody\nnameservers 192.0.2.1\n", ["127.0.0.1:0"]),
        (
            "nameserver 192.0.2.1\nnameserver 192.0.2.1\nnameserver 192.0.2.2\n"
                + "nameserver 192.0.2.3\nnameserver 192.0.2.4\n",
            ["192.0.2.1:0", "192.0.2.2:0", "192.0.2.3:0"]
        ),
    ])
    func resolvConfIsRead(text: String, expected: [String]) {
        let servers = ResolvConf(text: Array(text.utf8)).servers
        #expect(servers.map(\.description) == expected)
    }

    @Test func filesThatAreNoneNameTheLocalServer() {
        let local = [NetworkAddress(ipv4: 0x7f00_0001, port: 0)]
        for file in ["/nowhere/resolv.conf", "/", "/dev/null"] {
            #expect(ResolvConf(file: file).servers == local)
        }
    }

    /// The file names a server that is not there, and then another one, on the same port.
    @Test func changedFileIsReadAgain() throws {
        let file = NSTemporaryDirectory() + "resolv-\(UUID().uuidString).conf"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try "nameserver 192.0.2.1\n".write(toFile: file, atomically: true, encoding: .utf8)
        let harness = try ResolverHarness(Self.zones) {
            $0.servers = .system(file: file)
            $0.secondsMax = 0.3
        }
        let resolver = try #require(harness.resolver)
        #expect(try harness.answer("example.test", .mx).failure != nil)
        #expect(resolver.servers == [NetworkAddress(ipv4: 0xc000_0201, port: 0)])
        let other = "nameserver 127.0.0.2\nnameserver 127.0.0.3\n"
        try other.write(toFile: file, atomically: true, encoding: .utf8)
        // What is under way goes on; the file is looked at every two seconds.
        harness.ask("example.test", .mx)
        try harness.run()
        harness.rest(seconds: 2)
        harness.ask("example.test", .a)
        #expect(resolver.servers.map(\.host) == ["127.0.0.2", "127.0.0.3"])
        try harness.run()
        #expect(harness.answers.count == 3)
    }

    // MARK: - Trust anchors

    /// A key of the root that signs nothing here.
    private static let anchor =
        ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D\n"

    private static func withAnchors(
        _ text: String,
        _ body: (String) throws -> Void
    ) throws {
        let file = NSTemporaryDirectory() + "anchors-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        try body(file)
    }

    @Test func configuredAnchorsAreInsistedOn() throws {
        try Self.withAnchors(Self.anchor) { file in
            let harness = try ResolverHarness(Self.zones) { $0.trustAnchors = .always(file: file) }
            for name in ["example.test", "example.org"] {
                let answer = try harness.answer(name, .mx)
                #expect(answer.failure?.hasPrefix("DNSSEC: ") ?? false)
                #expect(answer.records.isEmpty)
            }
        }
    }

    @Test func standardAnchorsAreUsedWherePossible() throws {
        try Self.withAnchors(Self.anchor) { file in
            let harness = try ResolverHarness(Self.zones) {
                $0.trustAnchors = .whenPossible(file: file)
            }
            for name in ["example.test", "example.org"] {
                let answer = try harness.answer(name, .mx)
                #expect(answer.outcome == .found)
                #expect(!answer.isSecure)
            }
        }
        let harness = try ResolverHarness(Self.zones) {
            $0.trustAnchors = .whenPossible(file: "/nowhere/root.key")
        }
        #expect(try harness.answer("example.org", .mx).outcome == .found)
    }

    @Test func badAnchorsAreToldAtOnce() throws {
        let loop = try EventLoop(connectionsMax: 1)
        try Self.withAnchors("this is no anchor at all (\n") { file in
            for anchors in [
                ResolverSettings.TrustAnchors.always(file: file), .whenPossible(file: file),
            ] {
                let settings = ResolverSettings(trustAnchors: anchors)
                #expect(throws: ResolverError.self) { try Resolver(loop: loop, settings: settings) }
            }
        }
        let missing = ResolverSettings(trustAnchors: .always(file: "/nowhere/root.key"))
        #expect {
            try Resolver(loop: loop, settings: missing)
        } throws: {
            "\($0)" == "/nowhere/root.key: No such file or directory"
        }
    }
}
