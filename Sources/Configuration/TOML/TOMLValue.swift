// SPDX-License-Identifier: Apache-2.0
//
// A TOML document (toml.io, version 1.0) as values that know the lines they stand on.

internal import MailBytes

/// A value of a document.
struct TOMLValue: Equatable, Sendable {
    enum Content: Equatable, Sendable {
        case table(TOMLTable)
        case array([TOMLValue])
        case string(String)
        case integer(Int64)
        case float(Double)
        case boolean(Bool)
        /// A date, a time or both; no key of ours takes one.
        case date
    }

    let content: Content
    /// The line on which the value begins, from 1.
    let line: Int

    /// The value as an error names it.
    var description: String {
        switch self.content {
        case .table: "a table"
        case .array: "an array"
        case .string(let text): text.quoted
        case .integer(let number): String(number)
        case .float(let number): "the float \(number)"
        case .boolean(let flag): String(flag)
        case .date: "a date"
        }
    }
}

/// The keys of a table, in the order of their names.
struct TOMLTable: Equatable, Sendable {
    struct Entry: Equatable, Sendable {
        let name: String
        /// The line of the key, from 1.
        let line: Int
        let value: TOMLValue
    }

    var entries: [Entry] = []

    subscript(name: String) -> Entry? {
        self.entries.first { $0.name == name }
    }
}

extension String {
    /// The text in quotes, short, and with no octet that a terminal would obey.
    var quoted: String {
        var result = "\""
        for (index, scalar) in self.unicodeScalars.enumerated() {
            guard index < 60 else {
                result += "…"
                break
            }
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case _ where scalar.properties.generalCategory == .control:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// The name of a key as a key path shows it: quoted unless it is a bare key.
    var asKey: String {
        let isBare =
            !self.isEmpty
            && self.utf8.allSatisfy {
                $0.isASCIILetter || $0.isASCIIDigit || $0 == UInt8(ascii: "-")
                    || $0 == UInt8(ascii: "_")
            }
        return isBare ? self : self.quoted
    }
}
