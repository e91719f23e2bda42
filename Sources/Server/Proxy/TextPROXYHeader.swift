// SPDX-License-Identifier: Apache-2.0
//
// Version 1 of the PROXY protocol: one line, which ends with CRLF at an unknown place. What is
// still to come has a least length, by the fields that are missing; so much is wanted next.

internal import MailBytes

/// Reads `PROXY TCP4 192.0.2.1 198.51.100.1 51234 25`, TCP6 alike, and `PROXY UNKNOWN` with
/// anything behind it.
enum TextPROXYHeader {
    /// The longest line there may be, CRLF included.
    static let octetsMax = 107
    /// `PROXY UNKNOWN` and CRLF: no header of either version is shorter.
    static let octetsMin = 15

    private static let fieldCount = 6
    private static let name = Array("PROXY ".utf8)
    private static let unknown = Array("PROXY UNKNOWN".utf8)

    static func read(_ octets: borrowing Span<UInt8>) -> PROXYHeader.Reading {
        guard self.agrees(octets, self.name) else { return .malformed }
        guard octets.count >= self.octetsMin else { return .wants(self.octetsMin - octets.count) }
        guard let end = octets.firstIndex(of: .lf) else { return self.wanted(after: octets) }
        guard end < self.octetsMax, octets[end - 1] == .cr else { return .malformed }
        let line = ByteRange(0, end - 1)
        guard let header = self.header(octets, line) else { return .malformed }
        return .complete(header, octets: end + 1)
    }

    /// Whether the octets are the beginning of that word, or begin with it.
    private static func agrees(_ octets: borrowing Span<UInt8>, _ word: [UInt8]) -> Bool {
        for index in 0..<min(octets.count, word.count) where octets[index] != word[index] {
            return false
        }
        return true
    }

    private static func isUnknown(_ octets: borrowing Span<UInt8>, _ line: ByteRange) -> Bool {
        let count = self.unknown.count
        guard line.count >= count, self.agrees(octets, self.unknown) else { return false }
        return line.count == count || octets[count] == .space
    }

    private static func header(
        _ octets: borrowing Span<UInt8>,
        _ line: ByteRange
    ) -> PROXYHeader? {
        if self.isUnknown(octets, line) { return .local }
        var fields: [ByteRange] = []
        var start = line.lowerBound
        while fields.count < self.fieldCount {
            let space = octets.firstIndex(of: .space, from: start) ?? line.upperBound
            let end = min(space, line.upperBound)
            fields.append(ByteRange(start, end))
            guard end < line.upperBound else { break }
            start = end + 1
        }
        guard fields.count == self.fieldCount, fields[5].upperBound == line.upperBound,
            let family = self.family(octets, fields[1]),
            let source = self.address(octets, fields[2], fields[4], family),
            let destination = self.address(octets, fields[3], fields[5], family)
        else { return nil }
        return .proxied(source: source, destination: destination)
    }

    private static func family(
        _ octets: borrowing Span<UInt8>,
        _ field: ByteRange
    ) -> NetworkAddress.Family? {
        guard field.count == 4, octets[field.lowerBound] == UInt8(ascii: "T"),
            octets[field.lowerBound + 1] == UInt8(ascii: "C"),
            octets[field.lowerBound + 2] == UInt8(ascii: "P")
        else { return nil }
        switch octets[field.lowerBound + 3] {
        case UInt8(ascii: "4"): return .ipv4
        case UInt8(ascii: "6"): return .ipv6
        default: return nil
        }
    }

    private static func address(
        _ octets: borrowing Span<UInt8>,
        _ host: ByteRange,
        _ port: ByteRange,
        _ family: NetworkAddress.Family
    ) -> NetworkAddress? {
        let text = octets.extracting(host.indices)
        // Dotted decimals belong to TCP4 alone, unless they end an address of IPv6.
        let hasColon = text.firstIndex(of: UInt8(ascii: ":")) != nil
        guard hasColon == (family == .ipv6), text.firstIndex(of: UInt8(ascii: "[")) == nil,
            let address = NetworkAddress(octets: text), address.port == 0,
            port.count == 1 || !port.isEmpty && octets[port.lowerBound] != UInt8(ascii: "0"),
            let number = octets.decimal(in: port), let number = UInt16(exactly: number)
        else { return nil }
        return address.with(port: number)
    }

    // MARK: - A line that is not whole

    /// How many octets must still come at least; `octets` has no LF.
    private static func wanted(after octets: borrowing Span<UInt8>) -> PROXYHeader.Reading {
        let count = octets.count
        guard count < self.octetsMax else { return .malformed }
        if octets[count - 1] == .cr { return .wants(1) }
        let whole = ByteRange(0, count)
        let wanted = self.isUnknown(octets, whole) ? 2 : self.missing(octets)
        return count + wanted > self.octetsMax ? .malformed : .wants(wanted)
    }

    /// The shortest end that the fields so far allow: each that is missing has a space and at least
    /// one octet, an address two.
    private static func missing(_ octets: borrowing Span<UInt8>) -> Int {
        var spaces = 0
        for index in octets.indices where octets[index] == .space { spaces += 1 }
        // The shortest address of each kind is `::`, or one octet of anything else.
        let least = [0, 0, 2, 2, 1, 1]
        var wanted = 2
        for field in 0..<self.fieldCount where field > spaces { wanted += 1 + least[field] }
        let isEmpty = octets[octets.count - 1] == .space
        if isEmpty, spaces < self.fieldCount { wanted += least[spaces] }
        return wanted
    }
}

extension NetworkAddress {
    /// The same address with another port.
    func with(port: UInt16) -> NetworkAddress {
        switch self.family {
        case .ipv4: NetworkAddress(ipv4: UInt32(truncatingIfNeeded: self.low), port: port)
        case .ipv6: NetworkAddress(ipv6: self.high, self.low, port: port)
        case .unix: self
        }
    }
}
