// SPDX-License-Identifier: Apache-2.0
//
// The canonical form of addresses: which spellings are one mailbox, and that the form can be read
// again.

import MailBytes
import MailSyntax
import Testing

@Suite struct AddressTests {
    @Test(arguments: [
        ("a@x", "a@x"),
        ("A@X", "a@x"),
        ("John.Doe+Tag@Example.ORG", "john.doe+tag@example.org"),
        ("\"a\"@x", "a@x"),
        ("\"A.b\"@x", "a.b@x"),
        ("\"\\a\\b\"@x", "ab@x"),
        ("\"a b\"@x", "\"a b\"@x"),
        ("\"a\\ b\"@x", "\"a b\"@x"),
        ("\"a@b\"@x", "\"a@b\"@x"),
        ("\"a\\\"b\"@x", "\"a\\\"b\"@x"),
        ("\"a\\\\b\"@x", "\"a\\\\b\"@x"),
        ("\"\\\\\"@x", "\"\\\\\"@x"),
        ("\".\"@x", "\".\"@x"),
        ("\"a.\"@x", "\"a.\"@x"),
        ("\".a\"@x", "\".a\"@x"),
        ("\"a..b\"@x", "\"a..b\"@x"),
        ("\"\"@x", "\"\"@x"),
        ("\"a,b\"@x", "\"a,b\"@x"),
        ("\"@\"@[127.0.0.1]", "\"@\"@[127.0.0.1]"),
        ("a@[127.000.0.01]", "a@[127.0.0.1]"),
        ("a@[IPv6:0:0:0:0:0:0:0:1]", "a@[ipv6:::1]"),
        ("a@[ipv6:2001:DB8:0:0:1::]", "a@[ipv6:2001:db8:0:0:1::]"),
        ("a@[IPv6:::ffff:192.0.2.1]", "a@[192.0.2.1]"),
        ("a@[IPv6:::FFFF:c000:201]", "a@[192.0.2.1]"),
        ("a@[Tag:X@Y]", "a@[tag:x@y]"),
        ("\"@[\"@[Tag:@]", "\"@[\"@[tag:@]"),
        ("JOS\u{c9}@B\u{dc}CHER.Example", "jos\u{c9}@b\u{dc}cher.example"),
        ("\"\u{e9}\"@x", "\u{e9}@x"),
    ])
    func spellingsOfOneMailboxAreOne(written: String, canonical: String) throws {
        let address = try #require(Address(parsing: written))
        #expect(address.text == canonical)
        #expect(Address(parsing: address.text) == address)
        #expect(Address(canonical: address.octets) == address)
        #expect(
            Address(canonical: address.octets).map { $0.localPart.count + $0.domain.count + 1 }
                == address.octets.count
        )
    }

    @Test(arguments: [
        "", "@", "a", "a@", "@x", "a@x@y", "<a@x>", " a@x", "a@x ", "a@x\n", "a\n@x", "\"a\nb\"@x",
        "\"a\0b\"@x", "\"a\u{7f}b\"@x", "\"a@x", "a@x.", "a@[127.0.0.1", "a@[::1]", "a..b@x",
        "\"postmaster\"", "@r:a@x",
    ])
    func whatIsNoMailboxIsNoAddress(written: String) {
        #expect(Address(parsing: written) == nil)
    }

    @Test func partsAreToldApart() throws {
        let plain = try #require(Address(parsing: "User@Example.org"))
        #expect(plain.localPart.elementsEqual("user".utf8))
        #expect(plain.domain.elementsEqual("example.org".utf8))
        let odd = try #require(Address(parsing: "\"a@\\\"b@\"@[tag:@]"))
        #expect(odd.localPart.elementsEqual("\"a@\\\"b@\"".utf8))
        #expect(odd.domain.elementsEqual("[tag:@]".utf8))
        let stored = try #require(Address(canonical: odd.octets))
        #expect(stored.localPart.elementsEqual(odd.localPart))
        #expect(stored.domain.elementsEqual(odd.domain))
    }

    @Test(arguments: [
        [], Array("a".utf8), Array("@x".utf8), Array("\"a@x".utf8), Array("\"a\"x@y".utf8),
        Array("\"a\\".utf8),
    ])
    func whatWasNeverCanonicalIsNotTaken(octets: [UInt8]) {
        #expect(Address(canonical: octets) == nil)
    }

    @Test(arguments: [
        ("a+b@x", "a@x"),
        ("a+b+c@x", "a@x"),
        ("a+@x", "a@x"),
        ("\"a+b c\"@x", "a@x"),
        ("\"a b+c\"@x", "\"a b\"@x"),
        ("\"a\\\"+b\"@x", "\"a\\\"\"@x"),
        ("\"a.+b c\"@x", "\"a.\"@x"),
        ("+b@x", nil),
        ("\"+b c\"@x", nil),
        ("a@x", nil),
        ("a@[tag:+]", nil),
    ])
    func detailIsCutOff(written: String, plain: String?) throws {
        let address = try #require(Address(parsing: written))
        #expect(address.removingDetail(separator: UInt8(ascii: "+"))?.text == plain)
    }

    /// An unquoted local-part that ends in a dot is none.
    @Test func detailLeavesOnlyAddresses() throws {
        let address = try #require(Address(parsing: "a.b@x"))
        #expect(address.removingDetail(separator: UInt8(ascii: "b")) == nil)
    }

    @Test(arguments: [
        ("postmaster@x", true), ("PostMaster@y.z", true), ("\"postmaster\"@x", true),
        ("\"post\\master\"@x", true), ("postmaster+a@x", false), ("\"postmaster \"@x", false),
    ])
    func postmasterIsKnown(written: String, isPostmaster: Bool) throws {
        #expect(try #require(Address(parsing: written)).isPostmaster == isPostmaster)
    }

    /// Lists keep addresses one a line, the control socket between tabs.
    @Test func noAddressHoldsAControlCharacter() {
        for octet in Array(UInt8(0)...31) + [127] {
            for written in [[0x22, octet, 0x22], [0x22, 0x5c, octet, 0x22], [0x61, octet]] {
                #expect(Address(octets: (written + [0x40, 0x78]).span) == nil)
            }
            #expect(Address(octets: [0x61, 0x40, octet].span) == nil)
            #expect(Address(octets: ([0x61, 0x40, 0x5b, 0x74, 0x3a, octet, 0x5d]).span) == nil)
        }
    }
}
