// SPDX-License-Identifier: Apache-2.0
//
// The header that the mechanisms of the GS2 family begin with (RFC 5801, section 4; RFC 5802,
// section 7), and the escaped names in it.

internal import MailBytes

/// `n,a=name,` and its like, as ranges of the message it was read from.
struct GS2Header: Equatable, BitwiseCopyable {
    /// What the client says about channel binding.
    enum Flag: Equatable, BitwiseCopyable {
        /// `n`: it cannot bind.
        case unsupported
        /// `y`: it can, and thinks that the server cannot.
        case unoffered
        /// `p=name`: it does.
        case required(ByteRange)
    }

    let flag: Flag
    /// The escaped name after `a=`; nil when there is none.
    let authorizationIdentity: ByteRange?
    /// The index after the header.
    let end: Int

    /// The header that a message begins with; nil when it begins with anything else.
    init?(_ message: borrowing Span<UInt8>) {
        let comma = UInt8(ascii: ",")
        guard let first = message.firstIndex(of: comma),
            let second = message.firstIndex(of: comma, from: first + 1)
        else { return nil }
        switch message[0] {
        case UInt8(ascii: "n") where first == 1: self.flag = .unsupported
        case UInt8(ascii: "y") where first == 1: self.flag = .unoffered
        case UInt8(ascii: "p") where first > 2 && message[1] == UInt8(ascii: "="):
            let name = ByteRange(2, first)
            guard name.indices.allSatisfy({ Self.isBindingName(message[$0]) }) else { return nil }
            self.flag = .required(name)
        default: return nil
        }
        if second == first + 1 {
            self.authorizationIdentity = nil
        } else {
            // Deviation (RFC 5801, section 4): libgsasl writes `a=` for a name without octets, and
            // means that there is none.
            guard second >= first + 3, message[first + 1] == UInt8(ascii: "a"),
                message[first + 2] == UInt8(ascii: "=")
            else { return nil }
            let name = ByteRange(first + 3, second)
            self.authorizationIdentity = name.isEmpty ? nil : name
        }
        self.end = second + 1
    }

    private static func isBindingName(_ octet: UInt8) -> Bool {
        octet.isASCIILetter || octet.isASCIIDigit || octet == .dot || octet == UInt8(ascii: "-")
    }
}

extension Span where Element == UInt8 {
    /// The octets of an escaped name (RFC 5802, section 5.1, saslname); nil when it is none.
    ///
    /// `=2C` is a comma and `=3D` an equals sign; an equals sign that begins anything else makes a
    /// name invalid.
    func saslName(in range: ByteRange) -> [UInt8]? {
        var name: [UInt8] = []
        name.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            let octet = self[index]
            guard octet != 0, octet != UInt8(ascii: ",") else { return nil }
            guard octet == UInt8(ascii: "=") else {
                name.append(octet)
                index += 1
                continue
            }
            guard index + 2 < range.upperBound else { return nil }
            switch (self[index + 1], self[index + 2]) {
            case (UInt8(ascii: "2"), UInt8(ascii: "C")): name.append(UInt8(ascii: ","))
            case (UInt8(ascii: "3"), UInt8(ascii: "D")): name.append(UInt8(ascii: "="))
            default: return nil
            }
            index += 3
        }
        return (1...SASLLimits.nameOctetsMax).contains(name.count) ? name : nil
    }
}
