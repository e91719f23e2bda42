// SPDX-License-Identifier: Apache-2.0
//
// One command line, split into verb and arguments: RFC 5321, section 4.1.1, RFC 3030 (BDAT). What
// MAIL and RCPT say is parsed later, because their order counts before their grammar does.

internal import MailBytes

/// A command with its arguments as ranges of the line.
enum SMTPCommand: Equatable, BitwiseCopyable {
    case helo(ByteRange)
    case ehlo(ByteRange)
    case lhlo(ByteRange)
    /// MAIL, or SOML and SAML where they are taken for it.
    case mail(ByteRange, SMTPVerb)
    case rcpt(ByteRange)
    case data
    case bdat(Chunk)
    case rset
    case noop
    case quit
    case help(ByteRange)
    case vrfy(ByteRange)
    case expn(ByteRange)
    case startTLS
    case auth(ByteRange)
    case xclient(ByteRange)
    case etrn(ByteRange)
    case atrn(ByteRange)
    /// A command of old or of other servers, and why this one does not have it.
    case refused(SMTPReply)
    /// A known verb with arguments it cannot have.
    case malformed(SMTPVerb)
    case unknown
    /// The verb belongs to another protocol.
    case foreign

    /// The arguments of BDAT.
    struct Chunk: Equatable, BitwiseCopyable {
        /// The octets of the payload that have not come yet.
        var remaining: Int
        var isLast: Bool

        /// No chunk can be larger: what is not taken must be swallowed, and a payload of this size
        /// never ends.
        static let octetsMax = 1 << 40
    }
}

extension SMTPCommand {
    /// Parses the octets of `line`, which have no line end in them.
    init(parsing octets: borrowing Span<UInt8>, line: ByteRange, settings: SMTPServerSettings) {
        var index = line.lowerBound
        while index < line.upperBound, octets[index] != .space { index += 1 }
        let arguments = octets.trimmed(ByteRange(index, line.upperBound))
        guard let verb = SMTPVerb.parse(octets, in: ByteRange(line.lowerBound, index)) else {
            self = .unknown
            return
        }
        self = Self.parsed(verb, arguments, of: octets, settings)
    }

    private static func parsed(
        _ verb: SMTPVerb,
        _ arguments: ByteRange,
        of octets: borrowing Span<UInt8>,
        _ settings: SMTPServerSettings
    ) -> SMTPCommand {
        if settings.purpose == .fetching, verb.bringsMail { return .refused(.fetchingOnly) }
        switch verb {
        case .helo: return .helo(arguments)
        case .ehlo: return .ehlo(arguments)
        case .lhlo: return .lhlo(arguments)
        case .mail: return .mail(arguments, verb)
        case .soml, .saml:
            return settings.acceptsSOML ? .mail(arguments, verb) : .refused(.noSOML)
        case .rcpt: return .rcpt(arguments)
        case .data: return arguments.isEmpty ? .data : .malformed(verb)
        case .bdat:
            return Chunk(parsing: octets, in: arguments).map { .bdat($0) } ?? .malformed(verb)
        case .rset: return arguments.isEmpty ? .rset : .malformed(verb)
        case .noop: return .noop
        case .quit: return arguments.isEmpty ? .quit : .malformed(verb)
        case .help: return .help(arguments)
        case .vrfy: return arguments.isEmpty ? .malformed(verb) : .vrfy(arguments)
        case .expn: return arguments.isEmpty ? .malformed(verb) : .expn(arguments)
        case .send: return .refused(.noSEND)
        case .turn: return .refused(.noTURN)
        case .startTLS:
            guard settings.offersSTARTTLS else { return .refused(.notImplemented) }
            return arguments.isEmpty ? .startTLS : .malformed(verb)
        case .auth:
            guard !settings.mechanisms.isEmpty else { return .refused(.notImplemented) }
            return arguments.isEmpty ? .malformed(verb) : .auth(arguments)
        case .xclient: return .xclient(arguments)
        case .etrn:
            guard settings.offersETRN else { return .refused(.notImplemented) }
            return arguments.isEmpty ? .malformed(verb) : .etrn(arguments)
        case .atrn:
            // RFC 2645, section 5.2.1: on ports of its own alone.
            return settings.purpose == .fetching ? .atrn(arguments) : .refused(.notImplemented)
        case .get, .post, .head, .put, .delete, .options, .connect, .trace, .patch, .pri:
            return .foreign
        }
    }
}

extension SMTPCommand.Chunk {
    fileprivate init?(parsing octets: borrowing Span<UInt8>, in arguments: ByteRange) {
        var end = arguments.lowerBound
        while end < arguments.upperBound, octets[end] != .space { end += 1 }
        let rest = octets.trimmed(ByteRange(end, arguments.upperBound))
        guard rest.isEmpty || octets.matches("LAST", in: rest),
            let size = octets.saturatingDecimal(in: ByteRange(arguments.lowerBound, end))
        else { return nil }
        self.init(remaining: size, isLast: !rest.isEmpty)
    }
}
