// SPDX-License-Identifier: Apache-2.0
//
// A message as a user or a program hands it over: with the line ends of a text file, perhaps
// without all the fields that a message has (RFC 5322, section 3.6), perhaps with Bcc. It becomes
// what can be sent.

internal import MailBytes
internal import MailSyntax

/// A message that is made ready to be sent.
package struct MessageDraft: Sendable {
    private struct Field: Sendable {
        /// In lower case.
        let name: [UInt8]
        /// The whole field with its line ends.
        let octets: [UInt8]
        /// Where the value begins in them.
        let valueStart: Int
    }

    private var fields: [Field] = []
    /// From the empty line on; each line ends with CRLF.
    private var body: [UInt8] = []

    /// Reads a message; every line end becomes CRLF.
    ///
    /// A line of mbox (`From `) in front is passed over. What is no field ends the header.
    ///
    /// `dotEnds`: a line of a single dot ends the message, as it does at the keyboard.
    package init(_ octets: [UInt8], dotEnds: Bool = false) {
        let text = Self.normalised(octets, dotEnds: dotEnds)
        var start = 0
        if text.starts(with: "From ".utf8) { start = Self.nextLine(text, start) }
        while start < text.count, text[start] != .cr,
            let colon = Self.colon(of: text, from: start)
        {
            let end = Self.endOfField(text, from: start)
            let name = text[start..<colon].filter { $0 > .space }.map(\.lowercasedASCII)
            self.fields.append(
                Field(
                    name: name,
                    octets: Array(text[start..<end]),
                    valueStart: colon + 1 - start
                )
            )
            start = end
        }
        let hasEmptyLine = start < text.count && text[start] == .cr
        self.body = (hasEmptyLine || start == text.count ? [] : [.cr, .lf]) + text[start...]
    }

    /// The message as it goes out.
    package var octets: [UInt8] {
        let body = self.body.isEmpty ? [.cr, .lf] : self.body
        return self.fields.reduce(into: [UInt8]()) { $0 += $1.octets } + body
    }

    /// Whether anything in it is beyond ASCII (RFC 6152).
    package var isEightBit: Bool {
        self.hasEightBitHeader || self.body.contains { $0 >= 0x80 }
    }

    private var hasEightBitHeader: Bool {
        self.fields.contains { $0.octets.contains { $0 >= 0x80 } }
    }

    /// Whether the header is for those alone who know SMTPUTF8 (RFC 6532).
    ///
    /// Octets of another character set are no UTF-8, and are passed on as they always were.
    package var needsUTF8: Bool {
        self.hasEightBitHeader
            && self.fields.allSatisfy { String(validating: $0.octets, as: UTF8.self) != nil }
    }

    /// Whether there is neither field nor text.
    package var isEmpty: Bool { self.fields.isEmpty && self.body.isEmpty }

    /// Whether it has a field of that name, given in lower case.
    package func has(_ name: String) -> Bool {
        self.fields.contains { $0.name.elementsEqual(name.utf8) }
    }

    /// Removes the fields of that name, given in lower case.
    package mutating func remove(_ name: String) {
        self.fields.removeAll { $0.name.elementsEqual(name.utf8) }
    }

    /// Puts a field in front, given as a line without its end.
    package mutating func add(_ line: String) {
        let octets = Array(line.utf8)
        guard let colon = octets.firstIndex(of: UInt8(ascii: ":")) else {
            preconditionFailure("a field has a colon")
        }
        self.fields.insert(
            Field(
                name: octets[..<colon].map(\.lowercasedASCII),
                octets: octets + [.cr, .lf],
                valueStart: colon + 1
            ),
            at: 0
        )
    }

    /// The addresses in To, Cc and Bcc, or in those of the newest re-sending if there is one, in
    /// their order; nil: they cannot be read.
    ///
    /// An address may lack its domain.
    package var recipients: [[UInt8]]? {
        let isResent = self.fields.contains { $0.name.starts(with: "resent-".utf8) }
        let prefix = isResent ? "resent-" : ""
        return self.addresses(of: ["to", "cc", "bcc"].map { prefix + $0 })
    }

    /// The first address in From; nil: there is none that can be read.
    package var author: [UInt8]? { self.addresses(of: ["from"])?.first }

    private func addresses(of names: [String]) -> [[UInt8]]? {
        var scanner = AuthorScanner(ofRecipients: true)
        scanner.reset()
        for field in self.fields where names.contains(String(decoding: field.name, as: UTF8.self)) {
            scanner.beginField()
            for octet in field.octets[field.valueStart...] where octet != .cr && octet != .lf {
                scanner.take(octet)
            }
            scanner.endField()
        }
        guard scanner.isReadable else { return nil }
        return scanner.authors.copy().split(separator: .lf).map(Array.init)
    }

    // MARK: - Lines

    private static func normalised(_ octets: [UInt8], dotEnds: Bool) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(octets.count + octets.count / 32 + 2)
        var lineStart = 0
        var index = 0
        while index < octets.count {
            let octet = octets[index]
            index += 1
            guard octet == .cr || octet == .lf else {
                text.append(octet)
                continue
            }
            if octet == .cr, index < octets.count, octets[index] == .lf { index += 1 }
            if dotEnds, text[lineStart...].elementsEqual([.dot]) {
                text.removeLast()
                return text
            }
            text += [.cr, .lf]
            lineStart = text.count
        }
        if lineStart < text.count { text += [.cr, .lf] }
        return text
    }

    /// The index after the line that begins at `start`.
    private static func nextLine(_ text: [UInt8], _ start: Int) -> Int {
        text[start...].firstIndex(of: .lf).map { $0 + 1 } ?? text.count
    }

    /// The index after the field that begins at `start`, its folded lines with it.
    private static func endOfField(_ text: [UInt8], from start: Int) -> Int {
        var end = self.nextLine(text, start)
        while end < text.count, text[end] == .space || text[end] == 0x09 {
            end = self.nextLine(text, end)
        }
        return end
    }

    /// The colon behind the name of a field that begins at `start`; nil: there is no field.
    private static func colon(of text: [UInt8], from start: Int) -> Int? {
        var index = start
        while index < text.count, (0x21...0x7e).contains(text[index]),
            text[index] != UInt8(ascii: ":")
        {
            index += 1
        }
        guard index > start else { return nil }
        // RFC 5322, section 4.5: white space may stand before the colon of an old message.
        while index < text.count, text[index] == .space || text[index] == 0x09 { index += 1 }
        return index < text.count && text[index] == UInt8(ascii: ":") ? index : nil
    }
}
