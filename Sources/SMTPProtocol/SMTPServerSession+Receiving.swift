// SPDX-License-Identifier: Apache-2.0
//
// From octets to commands: lines, their limits, and the one table of stages and commands.

internal import MailBytes
internal import SASL

extension SMTPServerSession {
    /// Takes one command, or goes on with the content under way.
    mutating func receive(
        _ octets: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Step {
        switch self.phase {
        case .awaitingCommand(let stage):
            return self.receiveLine(octets, .command(stage), into: &replies)
        case .authenticating:
            return self.receiveLine(octets, .response, into: &replies)
        case .receivingContent:
            return self.receiveContent(octets)
        case .refusingContent(let reason):
            return self.refuseContent(octets, reason, into: &replies)
        case .receivingChunk(let chunk):
            return self.receiveChunk(octets, chunk, into: &replies)
        case .refusingChunk(let reason, let chunk, let stage):
            return self.refuseChunk(octets, reason, chunk, then: stage, into: &replies)
        case .awaitingGreeting, .suspended, .securing, .closed:
            preconditionFailure("input is for a session that awaits it")
        }
    }

    /// What a line is taken for.
    private enum LineKind: BitwiseCopyable {
        case command(Stage)
        /// A response of the client in an exchange of AUTH.
        case response
    }

    private mutating func receiveLine(
        _ octets: borrowing Span<UInt8>,
        _ kind: LineKind,
        into replies: inout ReplyBuffer
    ) -> Step {
        guard octets.count > 0 else { return Step(consumed: 0, effect: .awaitInput) }
        // A TLS record of handshake type: there will be no line end to wait for.
        if self.commandCount == 0, self.skippedOctets == 0, octets[0] == 0x16 {
            return Step(
                consumed: octets.count,
                effect: self.end(saying: .foreignProtocol, into: &replies)
            )
        }
        let octetsMax = self.lineOctetsMax(kind, octets)
        guard let line = self.line(in: octets) else {
            guard self.skippedOctets > 0 || octets.count > octetsMax else {
                return Step(consumed: 0, effect: .awaitInput)
            }
            // A CR may be the first half of the line end, and is looked at again with the other.
            let count = octets.count - (octets[octets.count - 1] == .cr ? 1 : 0)
            return self.skip(count, isLineEnd: false, kind, into: &replies)
        }
        if self.skippedOctets > 0 || line.count > octetsMax {
            return self.skip(line.count, isLineEnd: true, kind, into: &replies)
        }
        let effect = self.receiveLine(octets, line, kind, into: &replies)
        // RFC 3207, section 5: what came in clear behind STARTTLS may be anybody's.
        return Step(consumed: effect == .startTLS ? octets.count : line.count, effect: effect)
    }

    /// How long a line may be, with its line end.
    ///
    /// Deviation (RFC 4954, section 4): AUTH itself, too, may be as long as the lines after it,
    /// because clients put whole tokens into the initial response.
    private func lineOctetsMax(_ kind: LineKind, _ octets: borrowing Span<UInt8>) -> Int {
        switch kind {
        case .response:
            return SASLLimits.lineOctetsMax + 2
        case .command:
            let octetsMax = self.settings.commandOctetsMax
            guard octets.count > octetsMax, !self.settings.mechanisms.isEmpty,
                octets.matches("AUTH ", in: ByteRange(0, 5))
            else { return octetsMax }
            return max(octetsMax, SASLLimits.lineOctetsMax + Self.beforeResponseOctets)
        }
    }

    /// The octets of AUTH with its mechanism, and of the line end.
    private static let beforeResponseOctets = "AUTH SCRAM-SHA-256-PLUS \r\n".utf8.count

    /// A line: how many octets it has, with and without its line end.
    private struct Line {
        var count: Int
        var contentCount: Int
        var hasBareLF: Bool
    }

    /// The first line.
    ///
    /// Where bare LFs are refused they end no command: who hides a command behind one must not
    /// find it carried out.
    private func line(in octets: borrowing Span<UInt8>) -> Line? {
        var start = 0
        while let lf = octets.firstIndex(of: .lf, from: start) {
            let isPair = lf > 0 && octets[lf - 1] == .cr
            if isPair || self.settings.lineEndings == .normalise {
                return Line(
                    count: lf + 1,
                    contentCount: isPair ? lf - 1 : lf,
                    hasBareLF: start > 0
                )
            }
            start = lf + 1
        }
        return nil
    }

    /// Skips octets of a line that is too long, up to a limit.
    private mutating func skip(
        _ count: Int,
        isLineEnd: Bool,
        _ kind: LineKind,
        into replies: inout ReplyBuffer
    ) -> Step {
        self.skippedOctets += count
        if self.skippedOctets > self.settings.skippedOctetsMax {
            return Step(consumed: count, effect: self.end(saying: .lineEndless, into: &replies))
        }
        guard isLineEnd else { return Step(consumed: count, effect: .awaitInput) }
        self.skippedOctets = 0
        self.commandCount += 1
        let effect: Effect
        switch kind {
        case .command(let stage): effect = self.refuse(.lineTooLong, stage, into: &replies)
        case .response: effect = self.endExchange(saying: .responseTooLong, into: &replies)
        }
        return Step(consumed: count, effect: effect)
    }

    private mutating func receiveLine(
        _ octets: borrowing Span<UInt8>,
        _ line: Line,
        _ kind: LineKind,
        into replies: inout ReplyBuffer
    ) -> Effect {
        self.commandCount += 1
        guard self.commandCount <= self.settings.commandsMax else {
            return self.end(saying: .tooManyCommands, into: &replies)
        }
        let text = octets.extracting(0..<line.contentCount)
        let isText =
            !line.hasBareLF && text.firstIndex(of: .cr) == nil && text.firstIndex(of: 0) == nil
        switch kind {
        case .command(let stage):
            guard isText else { return self.refuse(.octetsNotAllowed, stage, into: &replies) }
            let command = SMTPCommand(
                parsing: text,
                line: ByteRange(0, text.count),
                settings: self.settings
            )
            return self.dispatch(stage, command, of: text, into: &replies)
        case .response:
            guard isText else { return self.endExchange(saying: .octetsNotAllowed, into: &replies) }
            return self.receiveResponse(text, into: &replies)
        }
    }

    private mutating func dispatch(
        _ stage: Stage,
        _ command: SMTPCommand,
        of line: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        switch (stage, command) {
        case (_, .helo(let name)):
            return self.receiveHello(.helo, name, stage, of: line, into: &replies)
        case (_, .ehlo(let name)):
            return self.receiveHello(.ehlo, name, stage, of: line, into: &replies)
        case (_, .lhlo(let name)):
            return self.receiveHello(.lhlo, name, stage, of: line, into: &replies)

        case (.greeted, .mail), (.greeted, .rcpt), (.greeted, .data):
            return self.refuse(.helloFirst, stage, into: &replies)
        case (.greeted, .bdat(let chunk)):
            return self.refuse(chunk, saying: .helloFirst, stage, into: &replies)

        case (.ready, .mail(let arguments, let verb)):
            return self.receiveMAIL(arguments, verb, of: line, into: &replies)
        case (.ready, .rcpt), (.ready, .data):
            return self.refuse(.mailFirst, stage, into: &replies)
        case (.ready, .bdat(let chunk)):
            return self.refuse(chunk, saying: .mailFirst, stage, into: &replies)

        case (.transaction, .mail):
            return self.refuse(.nestedMail, stage, into: &replies)
        case (.transaction, .rcpt(let arguments)):
            return self.receiveRCPT(arguments, of: line, into: &replies)
        case (.transaction, .data):
            return self.receiveDATA(into: &replies)
        case (.transaction, .bdat(let chunk)):
            return self.receiveBDAT(chunk, into: &replies)

        case (.chunking, .mail):
            return self.refuse(.nestedMail, stage, into: &replies)
        case (.chunking, .rcpt), (.chunking, .data):
            return self.refuse(.withinChunks, stage, into: &replies)
        case (.chunking, .bdat(let chunk)):
            return self.continueBDAT(chunk, into: &replies)

        case (_, .startTLS):
            return self.receiveSTARTTLS(stage, into: &replies)
        case (_, .auth(let arguments)):
            return self.receiveAUTH(arguments, stage, of: line, into: &replies)
        case (_, .xclient(let arguments)):
            return self.receiveXCLIENT(arguments, stage, of: line, into: &replies)
        case (_, .etrn(let argument)):
            return self.receiveETRN(argument, stage, of: line, into: &replies)
        case (_, .atrn(let argument)):
            return self.receiveATRN(argument, stage, of: line, into: &replies)
        case (_, .rset):
            return self.receiveRSET(stage, into: &replies)
        case (_, .noop):
            return self.accept(.nothingDone, stage, into: &replies)
        case (_, .quit):
            return self.end(saying: .closing, into: &replies)
        case (_, .help(let topic)):
            return self.receiveHELP(topic, stage, of: line, into: &replies)
        case (_, .vrfy(let argument)):
            return self.receiveVRFY(argument, stage, of: line, into: &replies)
        case (_, .expn(let argument)):
            return self.receiveEXPN(argument, stage, of: line, into: &replies)
        case (_, .refused(let reason)):
            return self.refuse(reason, stage, into: &replies)
        case (_, .malformed(.bdat)):
            return self.endAtMalformedBDAT(into: &replies)
        case (_, .malformed(let verb)):
            return self.refuse(argumentsOf: verb, stage, into: &replies)
        case (_, .unknown):
            return self.refuse(.unknownCommand, stage, into: &replies)
        case (_, .foreign):
            return self.end(saying: .foreignProtocol, into: &replies)
        }
    }
}
