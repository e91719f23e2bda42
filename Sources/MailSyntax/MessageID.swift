// SPDX-License-Identifier: Apache-2.0
//
// The id of a stored message: a number made by us, written so that people can read it out.

public import MailBytes

/// The identity of a message, as it stands in its Received field and in the final reply.
public struct MessageID: RawRepresentable, Hashable, BitwiseCopyable, Sendable {
    /// The number behind the text.
    public let rawValue: UInt64

    /// An id from its number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// 32 digits without I, L, O and U.
    private static let digits: StaticString = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

    /// How many digits the text has.
    public static let textCount = 13

    /// An id from its text; nil when it is none.
    public init?(text: String) {
        guard text.utf8.count == Self.textCount else { return nil }
        var value: UInt64 = 0
        for octet in text.utf8 {
            guard let digit = Self.value(of: octet), value >> 59 == 0 else { return nil }
            value = value << 5 | digit
        }
        self.rawValue = value
    }

    private static func value(of octet: UInt8) -> UInt64? {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(octet) - 0x30
        case UInt8(ascii: "A")...UInt8(ascii: "H"): UInt64(octet) - 0x41 + 10
        case UInt8(ascii: "J")...UInt8(ascii: "K"): UInt64(octet) - 0x4a + 18
        case UInt8(ascii: "M")...UInt8(ascii: "N"): UInt64(octet) - 0x4d + 20
        case UInt8(ascii: "P")...UInt8(ascii: "T"): UInt64(octet) - 0x50 + 22
        case UInt8(ascii: "V")...UInt8(ascii: "Z"): UInt64(octet) - 0x56 + 27
        default: nil
        }
    }

    /// Appends the 13 digits.
    public func append(to buffer: inout ReplyBuffer) {
        for shift in stride(from: 60, through: 0, by: -5) {
            let digit = Int(self.rawValue >> UInt64(shift) & 31)
            buffer.append(Self.digits, ByteRange(at: digit, count: 1))
        }
    }

    /// The 13 digits.
    public var text: String {
        var buffer = ReplyBuffer(capacity: 16)
        self.append(to: &buffer)
        return String(decoding: buffer.span.copy(), as: UTF8.self)
    }
}
