// SPDX-License-Identifier: Apache-2.0
//
// A reader of JSON (RFC 8259) for tokens and key sets: what the grammar does not have is refused,
// and so is what two readers could understand in two ways: a name that comes twice, text that is
// not UTF-8, half a surrogate pair. Depth and the members of an object are limited.

internal import MailBytes

/// A place in a JSON text.
struct JSONReader {
    private let octets: [UInt8]
    private var position = 0

    private static let depthMax = 8
    private static let membersMax = 128

    /// The value that a text is; nil when it is none.
    static func read(_ octets: [UInt8]) -> JSONValue? {
        guard String(validating: octets, as: UTF8.self) != nil else { return nil }
        var reader = JSONReader(octets)
        guard let value = reader.value(depth: 0) else { return nil }
        reader.skipSpace()
        return reader.position == octets.count ? value : nil
    }

    private init(_ octets: [UInt8]) { self.octets = octets }

    private var next: UInt8? {
        self.position < self.octets.count ? self.octets[self.position] : nil
    }

    private mutating func value(depth: Int) -> JSONValue? {
        self.skipSpace()
        switch self.next {
        case UInt8(ascii: "{"): return depth < Self.depthMax ? self.object(depth) : nil
        case UInt8(ascii: "["): return depth < Self.depthMax ? self.array(depth) : nil
        case UInt8(ascii: "\""): return self.string().map { .string($0) }
        case UInt8(ascii: "t"): return self.take("true") ? .boolean(true) : nil
        case UInt8(ascii: "f"): return self.take("false") ? .boolean(false) : nil
        case UInt8(ascii: "n"): return self.take("null") ? .null : nil
        default: return self.number().map { .number($0) }
        }
    }

    private mutating func object(_ depth: Int) -> JSONValue? {
        self.position += 1
        var members: [JSONValue.Member] = []
        self.skipSpace()
        if self.take("}") { return .object([]) }
        repeat {
            self.skipSpace()
            guard members.count < Self.membersMax, let name = self.string() else { return nil }
            self.skipSpace()
            guard !members.contains(where: { $0.name == name }), self.take(":"),
                let value = self.value(depth: depth + 1)
            else { return nil }
            members.append(JSONValue.Member(name: name, value: value))
            self.skipSpace()
        } while self.take(",")
        return self.take("}") ? .object(members) : nil
    }

    private mutating func array(_ depth: Int) -> JSONValue? {
        self.position += 1
        var values: [JSONValue] = []
        self.skipSpace()
        if self.take("]") { return .array([]) }
        repeat {
            guard let value = self.value(depth: depth + 1) else { return nil }
            values.append(value)
            self.skipSpace()
        } while self.take(",")
        return self.take("]") ? .array(values) : nil
    }

    private mutating func skipSpace() {
        while let octet = self.next,
            octet == .space || octet == 0x09 || octet == .lf || octet == .cr
        {
            self.position += 1
        }
    }

    private mutating func take(_ word: StaticString) -> Bool {
        let range = ByteRange(at: self.position, count: word.utf8CodeUnitCount)
        guard range.upperBound <= self.octets.count,
            self.octets[range.indices].elementsEqual(word.description.utf8)
        else { return false }
        self.position = range.upperBound
        return true
    }
}

// MARK: - Strings and numbers

extension JSONReader {
    private mutating func string() -> [UInt8]? {
        guard self.take("\"") else { return nil }
        var text: [UInt8] = []
        while let octet = self.next {
            self.position += 1
            switch octet {
            case UInt8(ascii: "\""): return text
            case UInt8(ascii: "\\"):
                guard let scalar = self.escaped() else { return nil }
                text.append(contentsOf: Character(scalar).utf8)
            case 0x00..<0x20: return nil
            default: text.append(octet)
            }
        }
        return nil
    }

    private mutating func escaped() -> Unicode.Scalar? {
        guard let letter = self.next else { return nil }
        self.position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
            return Unicode.Scalar(letter)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return self.escapedScalar()
        default: return nil
        }
    }

    /// Four digits, or eight as a surrogate pair.
    private mutating func escapedScalar() -> Unicode.Scalar? {
        guard let first = self.codeUnit() else { return nil }
        guard UTF16.isLeadSurrogate(first) else { return Unicode.Scalar(first) }
        guard self.take("\\u"), let second = self.codeUnit(), UTF16.isTrailSurrogate(second) else {
            return nil
        }
        return Unicode.Scalar(
            0x10000 + (UInt32(first) & 0x3ff) << 10 + UInt32(second) & 0x3ff
        )
    }

    private mutating func codeUnit() -> UInt16? {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let octet = self.next, let digit = Character(Unicode.Scalar(octet)).hexDigitValue
            else { return nil }
            value = value << 4 | UInt16(digit)
            self.position += 1
        }
        return value
    }

    /// RFC 8259, section 6; a number too large for a double is none.
    private mutating func number() -> Double? {
        let start = self.position
        _ = self.take("-")
        if !self.take("0") {
            guard self.digits() else { return nil }
        }
        if self.take(".") {
            guard self.digits() else { return nil }
        }
        if self.take("e") || self.take("E") {
            if !self.take("+") { _ = self.take("-") }
            guard self.digits() else { return nil }
        }
        let text = String(decoding: self.octets[start..<self.position], as: UTF8.self)
        return Double(text).flatMap { $0.isFinite ? $0 : nil }
    }

    /// At least one digit.
    private mutating func digits() -> Bool {
        let start = self.position
        while let octet = self.next, octet.isASCIIDigit { self.position += 1 }
        return self.position > start
    }
}
