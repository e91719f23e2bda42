// SPDX-License-Identifier: Apache-2.0

/// A JSON text that was read (RFC 8259).
enum JSONValue: Equatable, Sendable {
    /// A member of an object.
    struct Member: Equatable, Sendable {
        let name: [UInt8]
        let value: JSONValue
    }

    /// The names are all different.
    case object([Member])
    case array([JSONValue])
    /// UTF-8.
    case string([UInt8])
    case number(Double)
    case boolean(Bool)
    case null

    /// The member of that name; nil also when this is no object.
    subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name.elementsEqual(name.utf8) }?.value
    }

    /// The octets of a string.
    var string: [UInt8]? {
        if case .string(let octets) = self { octets } else { nil }
    }

    /// The value of a number.
    var number: Double? {
        if case .number(let value) = self { value } else { nil }
    }
}
