// SPDX-License-Identifier: Apache-2.0

import MailBytes
import Testing

@testable import Configuration

@Suite struct NetworkPrefixTests {
    typealias NetworkPrefix = Configuration.NetworkPrefix

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.1.2", true),
        ("10.0.0.0/8", "11.0.0.0", false),
        ("10.0.0.0/8", "9.255.255.255", false),
        ("192.0.2.128/25", "192.0.2.128", true),
        ("192.0.2.128/25", "192.0.2.127", false),
        ("192.0.2.7", "192.0.2.7:25", true),
        ("192.0.2.7/32", "192.0.2.8", false),
        ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("::/0", "2001:db8::1", true),
        ("::/0", "203.0.113.9", false),
        ("::1", "::1", true),
        ("::1/128", "::2", false),
        ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::1", false),
        ("2001:db8:0:8000::/49", "2001:db8:0:8000::5", true),
        ("2001:db8:0:8000::/49", "2001:db8:0:7fff::5", false),
        ("2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff", true),
        ("2001:db8::/64", "2001:db8:0:1::", false),
        ("2001:db8::8000:0:0:0/65", "2001:db8::8000:0:0:1", true),
        ("2001:db8::8000:0:0:0/65", "2001:db8::7fff:0:0:1", false),
        ("::ffff:10.0.0.0/104", "10.1.2.3", true),
        ("::ffff:10.0.0.0/104", "11.1.2.3", false),
        ("10.0.0.0/8", "::ffff:10.1.2.3", true),
    ])
    func addressesMatch(network: String, address: String, expected: Bool) throws {
        let prefix = try NetworkPrefix(parsing: network)
        let address = try #require(NetworkAddress(parsing: address))
        #expect(prefix.contains(address) == expected)
    }

    @Test func unixSocketsBelongToNone() throws {
        let everything = try NetworkPrefix(parsing: "::/0")
        #expect(!everything.contains(.unix))
        #expect(!NetworkPrefix(address: .unix, length: 0).contains(.unix))
    }

    @Test(arguments: [
        "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08",
        "10.0.0.0/8/8", "10.0.0/8", "10.0.0.0 /8", "::/129", "[::1]", "[::1]/128", "10.0.0.0:25",
        "10.0.0.0:0", "10.0.0.0:25/8", "::ffff:10.0.0.0/95", "10.0.0.0/255.0.0.0",
        "10.0.0.0/99999999999999999999",
    ])
    func anythingElseIsNone(text: String) {
        #expect(throws: NetworkPrefix.Failure.syntax) { try NetworkPrefix(parsing: text) }
    }

    @Test(arguments: [
        ("10.0.0.1/8", "10.0.0.0/8"),
        ("192.0.2.255/31", "192.0.2.254/31"),
        ("10.0.0.0/0", "0.0.0.0/0"),
        ("2001:db8::1/64", "2001:db8::/64"),
        ("2001:db8:1::/32", "2001:db8::/32"),
        ("::1/0", "::/0"),
    ])
    func hostBitsAreRefused(text: String, meant: String) throws {
        let network = try NetworkPrefix(parsing: meant)
        #expect(throws: NetworkPrefix.Failure.hostBits(network)) {
            try NetworkPrefix(parsing: text)
        }
        #expect(network.description == meant)
    }

    @Test func lengthsAreKeptWithinTheAddress() throws {
        let address = try #require(NetworkAddress(parsing: "192.0.2.1"))
        #expect(NetworkPrefix(address: address, length: 99).length == 32)
        #expect(NetworkPrefix(address: address, length: -1).length == 0)
    }
}
