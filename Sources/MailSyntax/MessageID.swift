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
        self.digits.withUTF8Buffer { digits in
            unsafe digits.firstIndex(of: octet).map(UInt64.init)
        }
    }

    /// Appends the 13 digits.
    public func append(to buffer: inout ReplyBuffer) {
        Self.digits.withUTF8Buffer { digits in
            for shift in stride(from: 60, through: 0, by: -5) {
                unsafe buffer.append(digits[Int(self.rawValue >> UInt64(shift) & 31)])
            }
        }
    }

    /// The 13 digits.
    public var text: String {
        var buffer = ReplyBuffer(capacity: 16)
        self.append(to: &buffer)
        return String(decoding: buffer.span.copy(), as: UTF8.self)
    }
}
