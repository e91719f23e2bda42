// SPDX-License-Identifier: Apache-2.0
//
// What holds for mailboxes and paths, whatever the octets.

import MailBytes
import MailSyntax

/// Reads the input as a mailbox and as a path, and checks what must hold of the results.
public enum AddressProperty {
    /// Throws when a property does not hold.
    public static func check(_ input: [UInt8]) throws(BrokenProperty) {
        if let address = Address(octets: input.span) { try self.check(address, from: input) }
        try self.checkPath([0x3c] + input + [0x3e])
        try self.checkPath(input)
        let text = String(decoding: input, as: UTF8.self)
        if let id = MessageID(text: text) {
            try require(id.text == text, "the text of an id is its only one")
        }
    }

    private static func check(_ address: Address, from input: [UInt8]) throws(BrokenProperty) {
        try require(address.octets.count <= input.count + 32, "addresses are bounded")
        try require(
            address.octets.allSatisfy { $0 >= 0x20 && $0 != 0x7f },
            "no control character is in an address"
        )
        try require(address.octets.allSatisfy { $0 == $0.lowercasedASCII }, "case is folded")
        try require(Address(parsing: address.text) == address, "the text can be read again")
        try require(Address(octets: address.octets.span) == address, "so can the octets")
        try require(Address(canonical: address.octets) == address, "the form is canonical")
        try require(
            Array(address.localPart) + [0x40] + Array(address.domain) == address.octets,
            "an address is its parts"
        )
        let upper = input.map { $0 &- 0x61 < 26 ? $0 & 0xdf : $0 }
        try require(Address(octets: upper.span) == address, "case does not matter")
        if let plain = address.removingDetail(separator: UInt8(ascii: "+")) {
            try require(plain.domain == address.domain, "the detail is in the local-part")
            try require(Address(parsing: plain.text) == plain, "the rest is an address")
            try require(plain.octets.count < address.octets.count, "something is cut off")
        }
    }

    private static func checkPath(_ line: [UInt8]) throws(BrokenProperty) {
        for bare in [false, true] {
            let wide = self.path(line, at: 0, bare: bare, utf8: true)
            if let narrow = self.path(line, at: 0, bare: bare, utf8: false) {
                try require(narrow == wide, "what is a path in ASCII is one in UTF-8")
                try require(
                    line[..<narrow.end].allSatisfy { $0 < 0x80 },
                    "without SMTPUTF8 a path is ASCII"
                )
            }
            guard let wide else { continue }
            try self.check(wide, of: line, bare: bare)
            let shifted = self.path([0x3a, 0x3a, 0x3a] + line, at: 3, bare: bare, utf8: true)
            try require(shifted?.end == wide.end + 3, "a path is the same anywhere in a line")
        }
    }

    private static func check(_ path: MailPath, of line: [UInt8], bare: Bool) throws(BrokenProperty)
    {
        try require(path.end <= line.count && path.end >= 2, "a path ends within the line")
        try require(line[path.end - 1] == 0x3e, "a path ends with its bracket")
        guard !path.isNull else { return }
        try require(bare || !path.domain.isEmpty, "a path has a domain")
        try require(path.mailbox.upperBound == path.end - 1, "the mailbox is the path's end")
        try require(path.localPart.count <= 66 && path.domain.count <= 255, "parts are bounded")
        let mailbox = Array(line[path.mailbox.indices])
        if !path.domain.isEmpty {
            try require(Address(octets: mailbox.span) != nil, "a mailbox is an address")
        }
    }

    private static func path(_ line: [UInt8], at start: Int, bare: Bool, utf8: Bool) -> MailPath? {
        try? MailPath.parse(line.span, at: start, allowsNull: true, allowsBare: bare, utf8: utf8)
    }
}
