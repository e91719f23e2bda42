// SPDX-License-Identifier: Apache-2.0
//
// A policy of MTA-STS from the text that the domain serves (RFC 8461, section 3.2).

internal import MailBytes

extension STSPolicy {
    /// A policy from the octets of its file.
    package init(octets: [UInt8]) throws(Failure) {
        guard octets.count <= Self.octetsMax else { throw .tooLong }
        var fields = Fields()
        var line = 0
        var rest = octets[...]
        while !rest.isEmpty {
            line += 1
            let end = rest.firstIndex(of: .lf) ?? rest.endIndex
            var text = rest[..<end]
            rest = rest[min(end + 1, rest.endIndex)...]
            if text.last == .cr, end < octets.endIndex { text.removeLast() }
            // Nothing but an end of the file may be empty.
            if text.isEmpty && rest.isEmpty { break }
            try fields.add(Self.trimmed(text), line: line)
        }
        try self.init(fields)
    }

    private init(_ fields: Fields) throws(Failure) {
        guard fields.version == "STSv1" else { throw .missing("version") }
        guard let mode = fields.mode.flatMap(Mode.init) else { throw .missing("mode") }
        guard let age = fields.age else { throw .missing("max_age") }
        guard mode == .none || !fields.patterns.isEmpty else { throw .missing("mx") }
        self.init(mode: mode, patterns: fields.patterns, ageSeconds: age)
    }

    /// What was read so far; of a field that comes twice the first counts.
    private struct Fields {
        var version: String?
        var mode: String?
        var age: Int64?
        var patterns: [String] = []

        mutating func add(_ text: ArraySlice<UInt8>, line: Int) throws(Failure) {
            guard let colon = text.firstIndex(of: UInt8(ascii: ":")), colon > text.startIndex,
                text.allSatisfy({ (0x20...0x7e).contains($0) || $0 == 0x09 || $0 >= 0x80 })
            else { throw .malformed(line: line) }
            let name = String(decoding: text[..<colon], as: UTF8.self)
            let octets = STSPolicy.trimmed(text[(colon + 1)...])
            let value = String(decoding: octets, as: UTF8.self)
            guard !value.isEmpty else { throw .malformed(line: line) }
            switch name {
            case "version": self.version = self.version ?? value
            case "mode": self.mode = self.mode ?? value
            case "max_age":
                // Digits only, and no more than ten: it fits.
                guard octets.count <= 10, octets.allSatisfy(\.isASCIIDigit),
                    let age = Int64(value)
                else { throw .malformed(line: line) }
                self.age = self.age ?? age
            case "mx":
                guard STSPolicy.isPattern(octets) else { throw .malformed(line: line) }
                guard self.patterns.count < STSPolicy.patternsMax else { throw .tooManyPatterns }
                self.patterns.append(value.lowercased())
            default:
                // Extensions are for later versions.
                break
            }
        }
    }

    private static func trimmed(_ octets: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var octets = octets
        while let first = octets.first, first == .space || first == 0x09 { octets.removeFirst() }
        while let last = octets.last, last == .space || last == 0x09 { octets.removeLast() }
        return octets
    }

    /// Whether octets are a domain in ASCII, perhaps behind an asterisk and a dot.
    private static func isPattern(_ octets: ArraySlice<UInt8>) -> Bool {
        let domain = octets.starts(with: "*.".utf8) ? octets.dropFirst(2) : octets
        guard domain.count <= 255 else { return false }
        return domain.split(separator: .dot, omittingEmptySubsequences: false).allSatisfy { label in
            guard (1...63).contains(label.count), label.first != UInt8(ascii: "-"),
                label.last != UInt8(ascii: "-")
            else { return false }
            return label.allSatisfy { octet in
                octet.isASCIILetter || octet.isASCIIDigit || octet == UInt8(ascii: "-")
                    || octet == UInt8(ascii: "_")
            }
        }
    }
}
