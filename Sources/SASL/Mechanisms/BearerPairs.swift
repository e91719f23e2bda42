// SPDX-License-Identifier: Apache-2.0
//
// The list of RFC 7628, section 3.1: `key=value` and Control-A, any number of times, then another
// Control-A and nothing more.

internal import MailBytes

/// The pairs that matter, as ranges of the message they were read from.
struct BearerPairs: Equatable, BitwiseCopyable {
    static let separator: UInt8 = 0x01

    /// The value of `auth`.
    private(set) var authorization: ByteRange?
    /// The value of `user`, which XOAUTH2 has.
    private(set) var user: ByteRange?

    /// The pairs from `start` to the end of the message; nil when they are none, or when a key that
    /// matters comes twice.
    init?(_ message: borrowing Span<UInt8>, from start: Int) {
        var position = start
        while let end = message.firstIndex(of: Self.separator, from: position) {
            if end == position {
                // The separator that ends the list: nothing may follow.
                guard end == message.count - 1, end > start else { return nil }
                return
            }
            guard let equals = message.firstIndex(of: UInt8(ascii: "="), from: position),
                equals > position, equals < end,
                (position..<equals).allSatisfy({ message[$0].isASCIILetter }),
                (equals + 1..<end).allSatisfy({ Self.isValueOctet(message[$0]) })
            else { return nil }
            let key = ByteRange(position, equals)
            let value = ByteRange(equals + 1, end)
            if message.matches("auth", in: key) {
                guard self.authorization == nil else { return nil }
                self.authorization = value
            } else if message.matches("user", in: key) {
                guard self.user == nil else { return nil }
                self.user = value
            }
            position = end + 1
        }
        return nil
    }

    /// RFC 7628 allows printable ASCII and white space; names of XOAUTH2 may be UTF-8.
    private static func isValueOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x20...0x7e, 0x80...0xff, 0x09, .cr, .lf: true
        default: false
        }
    }
}

extension Span where Element == UInt8 {
    /// The token after `Bearer ` in the value of an Authorization field (RFC 6750, section 2.1);
    /// nil when there is none.
    func bearerToken(in value: ByteRange) -> ByteRange? {
        let scheme: StaticString = "Bearer "
        let count = scheme.utf8CodeUnitCount
        guard value.count > count,
            self.matches(scheme, in: ByteRange(at: value.lowerBound, count: count))
        else { return nil }
        var start = value.lowerBound + count
        while start < value.upperBound, self[start] == .space { start += 1 }
        var letters = value.upperBound
        while letters > start, self[letters - 1] == UInt8(ascii: "=") { letters -= 1 }
        guard letters > start, (start..<letters).allSatisfy({ self[$0].isTokenLetter }) else {
            return nil
        }
        return ByteRange(start, value.upperBound)
    }
}

extension UInt8 {
    fileprivate var isTokenLetter: Bool {
        self.isASCIILetter || self.isASCIIDigit || "-._~+/".utf8.contains(self)
    }
}
