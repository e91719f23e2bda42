// SPDX-License-Identifier: Apache-2.0
//
// One command line, parsed: RFC 1939, RFC 2449 section 8, RFC 1460 (LAST), RFC 6856 (UTF8, LANG),
// RFC 2595 (STLS), RFC 5034 (AUTH) and XCLIENT. Arguments are ranges into the line; nothing is
// copied.

internal import MailBytes

/// A command with its arguments.
enum POP3Command: Equatable, BitwiseCopyable {
    case user(ByteRange)
    case pass(ByteRange)
    case apop(name: ByteRange, digest: ByteRange)
    /// The empty range asks for the list of mechanisms.
    case auth(mechanism: ByteRange, initialResponse: ByteRange?)
    case quit
    case stat
    case list(message: Int?)
    case retr(message: Int)
    case dele(message: Int)
    case noop
    case rset
    case last
    case top(message: Int, lines: Int)
    case uidl(message: Int?)
    case capa
    case utf8
    /// The empty range asks for the list of languages.
    case lang(ByteRange)
    case stls
    /// The client that a proxy speaks for; the port is 0 when it was not given.
    case xclient(NetworkAddress)
    /// A known verb with arguments it cannot have.
    case malformed(POP3Verb)
    case unknown
    /// The verb belongs to another protocol.
    case foreign
}

extension POP3Command {
    /// Parses the octets of `line`, which have no line end in them.
    init(parsing octets: borrowing Span<UInt8>, line: ByteRange) {
        var packed: UInt64 = 0
        var index = line.lowerBound
        while index < line.upperBound, octets[index] != .space {
            guard index - line.lowerBound < 8 else {
                self = .unknown
                return
            }
            packed = packed << 8 | UInt64(octets[index].lowercasedASCII)
            index += 1
        }
        guard let verb = POP3Verb(rawValue: packed) else {
            self = .unknown
            return
        }
        // PASS takes all that follows one space, spaces included; the others are lenient.
        let verbatim = ByteRange(min(index + 1, line.upperBound), line.upperBound)
        let arguments = octets.trimmed(verbatim)
        self = Self.parsed(verb, arguments, verbatim, of: octets) ?? .malformed(verb)
    }

    private static func parsed(
        _ verb: POP3Verb,
        _ arguments: ByteRange,
        _ verbatim: ByteRange,
        of octets: borrowing Span<UInt8>
    ) -> POP3Command? {
        switch verb {
        case .user: return arguments.isEmpty ? nil : .user(arguments)
        case .pass: return verbatim.isEmpty ? nil : .pass(verbatim)
        case .apop: return Self.parsedAPOP(arguments, of: octets)
        case .auth: return Self.parsedAUTH(arguments, of: octets)
        case .quit: return arguments.isEmpty ? .quit : nil
        case .stat: return arguments.isEmpty ? .stat : nil
        case .noop: return arguments.isEmpty ? .noop : nil
        case .rset: return arguments.isEmpty ? .rset : nil
        case .last: return arguments.isEmpty ? .last : nil
        case .capa: return arguments.isEmpty ? .capa : nil
        case .utf8: return arguments.isEmpty ? .utf8 : nil
        case .lang: return .lang(arguments)
        case .stls: return arguments.isEmpty ? .stls : nil
        case .xclient: return Self.parsedXCLIENT(arguments, of: octets).map { .xclient($0) }
        case .list:
            if arguments.isEmpty { return .list(message: nil) }
            return octets.saturatingDecimal(in: arguments).map { .list(message: $0) }
        case .uidl:
            if arguments.isEmpty { return .uidl(message: nil) }
            return octets.saturatingDecimal(in: arguments).map { .uidl(message: $0) }
        case .retr: return octets.saturatingDecimal(in: arguments).map { .retr(message: $0) }
        case .dele: return octets.saturatingDecimal(in: arguments).map { .dele(message: $0) }
        case .top: return Self.parsedTOP(arguments, of: octets)
        case .get, .post, .head, .put, .delete, .options, .connect, .trace, .patch, .pri:
            return .foreign
        }
    }

    private static func parsedAUTH(
        _ arguments: ByteRange,
        of octets: borrowing Span<UInt8>
    ) -> POP3Command? {
        guard let space = octets.firstIndex(of: .space, from: arguments.lowerBound),
            space < arguments.upperBound
        else { return .auth(mechanism: arguments, initialResponse: nil) }
        let response = octets.trimmed(ByteRange(space, arguments.upperBound))
        if let other = octets.firstIndex(of: .space, from: response.lowerBound),
            other < response.upperBound
        {
            return nil
        }
        let mechanism = ByteRange(arguments.lowerBound, space)
        return .auth(mechanism: mechanism, initialResponse: response)
    }

    private static func parsedTOP(
        _ arguments: ByteRange,
        of octets: borrowing Span<UInt8>
    ) -> POP3Command? {
        guard let space = octets.firstIndex(of: .space, from: arguments.lowerBound),
            space < arguments.upperBound,
            let message = octets.saturatingDecimal(in: ByteRange(arguments.lowerBound, space)),
            let lines = octets.saturatingDecimal(
                in: octets.trimmed(ByteRange(space, arguments.upperBound))
            )
        else { return nil }
        return .top(message: message, lines: lines)
    }

    private static func parsedAPOP(
        _ arguments: ByteRange,
        of octets: borrowing Span<UInt8>
    ) -> POP3Command? {
        let digits = 32
        guard arguments.count > digits + 1 else { return nil }
        let digest = ByteRange(arguments.upperBound - digits, arguments.upperBound)
        guard octets[digest.lowerBound - 1] == .space else { return nil }
        for index in digest.indices where !octets[index].isHexadecimalDigit { return nil }
        let name = octets.trimmed(ByteRange(arguments.lowerBound, digest.lowerBound))
        return name.isEmpty ? nil : .apop(name: name, digest: digest)
    }
}

extension Span where Element == UInt8 {
    /// The range without spaces at either end.
    fileprivate func trimmed(_ range: ByteRange) -> ByteRange {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, self[start] == .space { start += 1 }
        while end > start, self[end - 1] == .space { end -= 1 }
        return ByteRange(start, end)
    }

    /// The decimal number that fills `range`; `Int.max` when it does not fit, nil when it is none.
    ///
    /// A number too large to hold is still a number: there is no such message, or all lines.
    fileprivate func saturatingDecimal(in range: ByteRange) -> Int? {
        guard !range.isEmpty else { return nil }
        for index in range.indices where !self[index].isASCIIDigit { return nil }
        return self.decimal(in: range) ?? .max
    }
}

extension UInt8 {
    fileprivate var isHexadecimalDigit: Bool {
        self.isASCIIDigit || self.lowercasedASCII &- 0x61 < 6
    }
}
