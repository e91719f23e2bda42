// SPDX-License-Identifier: Apache-2.0
//
// The arguments of XCLIENT, by which a proxy tells for whom it speaks. The form is the one that
// Dovecot's proxy sends to a POP3 server: `XCLIENT ADDR=192.0.2.1 PORT=1234 SESSION=… TTL=…`.

internal import MailBytes

extension POP3Command {
    /// Reads `ADDR=` and `PORT=` as Dovecot writes them; other attributes are passed over.
    static func parsedXCLIENT(
        _ arguments: ByteRange,
        of octets: borrowing Span<UInt8>
    ) -> NetworkAddress? {
        var address: NetworkAddress?
        var port = 0
        var start = arguments.lowerBound
        while start < arguments.upperBound {
            let space = octets.firstIndex(of: .space, from: start) ?? arguments.upperBound
            let end = min(space, arguments.upperBound)
            if let value = octets.value(of: "ADDR=", in: ByteRange(start, end)) {
                address = Self.parsedAddress(octets.extracting(value.indices))
                guard address != nil else { return nil }
            } else if let value = octets.value(of: "PORT=", in: ByteRange(start, end)) {
                guard let number = octets.decimal(in: value), number <= 65535 else { return nil }
                port = number
            }
            start = end + 1
        }
        return address?.with(port: UInt16(port))
    }

    private static func parsedAddress(_ text: borrowing Span<UInt8>) -> NetworkAddress? {
        // Postfix's form of the command marks IPv6 addresses.
        if let address = text.value(of: "IPV6:", in: ByteRange(0, text.count)) {
            return Self.parsedAddress(text.extracting(address.indices))
        }
        // The address alone: brackets and a port are not part of this form.
        if text.firstIndex(of: UInt8(ascii: "[")) != nil { return nil }
        guard let address = NetworkAddress(octets: text), address.port == 0 else { return nil }
        return address
    }
}

extension Span where Element == UInt8 {
    /// What follows `key` when `range` begins with it, in any case of letters.
    fileprivate func value(of key: StaticString, in range: ByteRange) -> ByteRange? {
        let count = key.utf8CodeUnitCount
        guard range.count >= count,
            self.matches(key, in: ByteRange(at: range.lowerBound, count: count))
        else { return nil }
        return ByteRange(range.lowerBound + count, range.upperBound)
    }
}
