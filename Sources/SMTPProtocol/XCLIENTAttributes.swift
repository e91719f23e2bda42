// SPDX-License-Identifier: Apache-2.0
//
// What a proxy says by XCLIENT about the client that it stands for, in the form that Postfix gave
// the command: attributes with values in xtext (RFC 3461, section 4), or `[UNAVAILABLE]` or
// `[TEMPUNAVAIL]` where a value is not known.

public import MailBytes
internal import SASL

/// The attributes of a client behind a proxy.
///
/// Those of several XCLIENT commands add up; but a command with ADDR speaks of another client, of
/// whom nothing is known before, least of all a login.
public struct XCLIENTAttributes: Equatable, Sendable {
    private var host: NetworkAddress?
    private var port: UInt16 = 0
    private var destinationHost: NetworkAddress?
    private var destinationPort: UInt16 = 0
    /// NAME: the client's name by DNS; empty when there is none.
    public private(set) var name: [UInt8] = []
    /// HELO: what the client called itself; empty when that is not known.
    public private(set) var helloName: [UInt8] = []
    /// LOGIN: who has logged in at the proxy; empty: nobody.
    public private(set) var login: [UInt8] = []
    /// PROTO: whether the client said EHLO to the proxy; nil when that is not known.
    public private(set) var isExtended: Bool?

    /// No attributes.
    init() {}

    mutating func forgetLogin() {
        self.login = []
    }

    /// ADDR and PORT: the client's end of its connection; nil when that is not known.
    public var address: NetworkAddress? { self.host?.with(port: self.port) }

    /// DESTADDR and DESTPORT: the proxy's end of it; nil when that is not known.
    public var destination: NetworkAddress? {
        self.destinationHost?.with(port: self.destinationPort)
    }
}

// MARK: - Grammar

extension XCLIENTAttributes {
    /// The keyword of EHLO, but for LOGIN.
    static let keyword: StaticString = "XCLIENT NAME ADDR PORT PROTO HELO DESTADDR DESTPORT"

    /// The longest name of a host.
    private static let nameOctetsMax = 255

    /// Takes attributes, spaces between them; the attributes are not to be used when it throws.
    mutating func take(
        _ octets: borrowing Span<UInt8>,
        in range: ByteRange,
        acceptsLogin: Bool
    ) throws(SMTPReply) {
        var given = XCLIENTAttributes()
        var index = range.lowerBound
        var hasAddress = false
        while index < range.upperBound {
            let start = index
            while index < range.upperBound, octets[index] != .space { index += 1 }
            let word = ByteRange(start, index)
            hasAddress =
                hasAddress || octets.matches("ADDR=", in: ByteRange(start, min(start + 5, index)))
            try self.take(octets, word, acceptsLogin)
            try given.take(octets, word, acceptsLogin)
            while index < range.upperBound, octets[index] == .space { index += 1 }
        }
        if hasAddress { self = given }
    }

    private mutating func take(
        _ octets: borrowing Span<UInt8>,
        _ attribute: ByteRange,
        _ acceptsLogin: Bool
    ) throws(SMTPReply) {
        var end = attribute.lowerBound
        while end < attribute.upperBound, octets[end] != UInt8(ascii: "=") { end += 1 }
        guard end < attribute.upperBound else { throw .attributeSyntax }
        let name = ByteRange(attribute.lowerBound, end)
        let text = ByteRange(end + 1, attribute.upperBound)
        let value = try Self.value(octets, text)
        if octets.matches("ADDR", in: name) {
            self.host = try Self.host(value)
        } else if octets.matches("PORT", in: name) {
            self.port = try Self.port(value)
        } else if octets.matches("DESTADDR", in: name) {
            self.destinationHost = try Self.host(value)
        } else if octets.matches("DESTPORT", in: name) {
            self.destinationPort = try Self.port(value)
        } else if octets.matches("NAME", in: name) {
            self.name = try Self.name(value)
        } else if octets.matches("HELO", in: name) {
            self.helloName = try Self.printable(value, octetsMax: Self.nameOctetsMax)
        } else if octets.matches("PROTO", in: name) {
            self.isExtended = try Self.isExtended(value)
        } else if octets.matches("LOGIN", in: name), acceptsLogin {
            self.login = try Self.printable(value, octetsMax: SASLLimits.nameOctetsMax)
        } else {
            throw .attributeUnknown
        }
    }

    /// The octets of a value; none when it is not available.
    private static func value(
        _ octets: borrowing Span<UInt8>,
        _ text: ByteRange
    ) throws(SMTPReply) -> [UInt8] {
        guard !text.isEmpty, let value = octets.decodedXtext(in: text) else {
            throw .attributeSyntax
        }
        let whole = ByteRange(0, value.count)
        let isUnavailable =
            value.span.matches("[UNAVAILABLE]", in: whole)
            || value.span.matches("[TEMPUNAVAIL]", in: whole)
        return isUnavailable ? [] : value
    }

    /// A bare IPv4 address, or an IPv6 address behind `IPV6:`, which some proxies leave out.
    private static func host(_ value: [UInt8]) throws(SMTPReply) -> NetworkAddress? {
        guard !value.isEmpty else { return nil }
        let prefix = ByteRange(0, min(5, value.count))
        let isIPv6 = value.span.matches("IPV6:", in: prefix)
        let text = Array(isIPv6 ? value[5...] : value[...])
        let hasColon = text.contains(UInt8(ascii: ":"))
        // A port or brackets are no part of an address here.
        guard !text.contains(UInt8(ascii: "[")), !hasColon || !text.contains(.dot) || isIPv6,
            hasColon || !isIPv6, let address = NetworkAddress(octets: text.span)
        else { throw .attributeSyntax }
        return address
    }

    private static func port(_ value: [UInt8]) throws(SMTPReply) -> UInt16 {
        guard !value.isEmpty else { return 0 }
        guard let number = value.span.decimal(in: ByteRange(0, value.count)),
            let port = UInt16(exactly: number)
        else { throw .attributeSyntax }
        return port
    }

    private static func name(_ value: [UInt8]) throws(SMTPReply) -> [UInt8] {
        for octet in value {
            let isNamed =
                octet.isASCIILetter || octet.isASCIIDigit || octet == .dot
                || octet == UInt8(ascii: "-") || octet == UInt8(ascii: "_")
            guard isNamed else { throw .attributeSyntax }
        }
        return try self.printable(value, octetsMax: self.nameOctetsMax)
    }

    private static func printable(
        _ value: [UInt8],
        octetsMax: Int
    ) throws(SMTPReply) -> [UInt8] {
        for octet in value where octet < .space || octet == 0x7f { throw .attributeSyntax }
        guard value.count <= octetsMax else { throw .attributeSyntax }
        return value
    }

    private static func isExtended(_ value: [UInt8]) throws(SMTPReply) -> Bool? {
        let whole = ByteRange(0, value.count)
        if value.isEmpty { return nil }
        if value.span.matches("ESMTP", in: whole) { return true }
        guard value.span.matches("SMTP", in: whole) else { throw .attributeSyntax }
        return false
    }
}
