// SPDX-License-Identifier: Apache-2.0
//
// From octets to commands: lines, their limits, and the one table of phases and commands.

internal import MailBytes
internal import SASL

extension POP3ServerSession {
    /// Takes one line, or goes on with the listing or the message under way.
    mutating func receive(
        _ octets: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Step {
        switch self.phase {
        case .authorization, .awaitingPassword, .authenticating, .transaction:
            return self.receiveLine(octets, into: &replies)
        case .listing(let listing, let next):
            let effect = self.continueListing(listing, from: next, into: &replies)
            return Step(consumed: 0, effect: effect)
        case .sendingContent(let message, let end, let isLast):
            let effect = self.continueContent(of: message, from: end, isLast, into: &replies)
            return Step(consumed: 0, effect: effect)
        case .awaitingGreeting, .securing, .suspended, .closed:
            preconditionFailure("input is for a session that awaits a command")
        }
    }

    private mutating func receiveLine(
        _ octets: borrowing Span<UInt8>,
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
        let lf = octets.firstIndex(of: .lf)
        let count = lf.map { $0 + 1 } ?? octets.count
        if self.skippedOctets > 0 || count > self.lineOctetsMax(octets) {
            return self.skip(count, isLineEnd: lf != nil, into: &replies)
        }
        guard let lf else { return Step(consumed: 0, effect: .awaitInput) }
        // Deviation (RFC 1939, section 3): a bare LF ends a command too, for people at a terminal.
        let end = lf > 0 && octets[lf - 1] == .cr ? lf - 1 : lf
        if self.phase == .authenticating {
            let line = octets.extracting(0..<end)
            return Step(consumed: count, effect: self.receiveResponse(line, into: &replies))
        }
        let effect = self.receiveCommand(octets, line: ByteRange(0, end), into: &replies)
        // Whatever came in clear behind STLS must not be read as if it had come under TLS.
        return Step(consumed: effect == .startTLS ? octets.count : count, effect: effect)
    }

    /// How long the line at the start of `octets` may be, with its line end.
    ///
    /// RFC 5034, section 4: a line of an exchange may be longer than a command, which then holds
    /// for the line that begins one too, because clients exist that send long tokens there.
    private func lineOctetsMax(_ octets: borrowing Span<UInt8>) -> Int {
        let commandMax = self.settings.commandOctetsMax
        let isLong =
            self.phase == .authenticating
            || octets.count > 5 && octets.matches("AUTH ", in: ByteRange(0, 5))
        return isLong ? max(SASLLimits.lineOctetsMax + 32, commandMax) : commandMax
    }

    /// Skips octets of a line that is too long, up to a limit.
    private mutating func skip(
        _ count: Int,
        isLineEnd: Bool,
        into replies: inout ReplyBuffer
    ) -> Step {
        self.skippedOctets += count
        if self.skippedOctets > self.settings.skippedOctetsMax {
            return Step(consumed: count, effect: self.end(saying: .lineTooLong, into: &replies))
        }
        guard isLineEnd else { return Step(consumed: count, effect: .awaitInput) }
        self.skippedOctets = 0
        self.commandCount += 1
        if self.phase == .authenticating { self.exchange.abandon() }
        if self.phase != .transaction { self.phase = .authorization }
        return Step(consumed: count, effect: self.refuse(.lineTooLong, into: &replies))
    }

    private mutating func receiveCommand(
        _ octets: borrowing Span<UInt8>,
        line: ByteRange,
        into replies: inout ReplyBuffer
    ) -> Effect {
        self.commandCount += 1
        guard self.commandCount <= self.settings.commandsMax else {
            return self.end(saying: .tooManyCommands, into: &replies)
        }
        let phase = self.phase
        // PASS counts directly after USER only (RFC 1939, section 7).
        if phase == .awaitingPassword { self.phase = .authorization }
        if octets.contains(0, in: line) || octets.contains(.cr, in: line) {
            return self.refuse(.octetsNotAllowed, into: &replies)
        }
        let command = POP3Command(parsing: octets, line: line)
        return self.dispatch(phase, command, of: octets, into: &replies)
    }

    private mutating func dispatch(
        _ phase: Phase,
        _ command: POP3Command,
        of octets: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        switch (phase, command) {
        case (.authorization, .user(let name)), (.awaitingPassword, .user(let name)):
            return self.receiveUSER(name, of: octets, into: &replies)
        case (.awaitingPassword, .pass(let password)):
            return self.receivePASS(password, of: octets, into: &replies)
        case (.authorization, .pass):
            return self.refuse(
                self.permitsPasswords ? .userFirst : .plaintextRefused,
                into: &replies
            )
        case (.authorization, .apop(let name, let digest)),
            (.awaitingPassword, .apop(let name, let digest)):
            return self.receiveAPOP(name, digest, of: octets, into: &replies)
        case (.authorization, .auth(let mechanism, let response)),
            (.awaitingPassword, .auth(let mechanism, let response)):
            return self.receiveAUTH(mechanism, response, of: octets, into: &replies)
        case (.authorization, .utf8), (.awaitingPassword, .utf8):
            self.isUTF8 = true
            return self.accept(.utf8On, into: &replies)
        case (.authorization, .stls), (.awaitingPassword, .stls):
            return self.receiveSTLS(into: &replies)
        case (.authorization, .xclient(let client)), (.awaitingPassword, .xclient(let client)):
            return self.receiveXCLIENT(client, into: &replies)
        case (.authorization, .quit), (.awaitingPassword, .quit):
            return self.end(saying: .signingOff, into: &replies)
        case (.authorization, .stat), (.authorization, .list), (.authorization, .retr),
            (.authorization, .dele), (.authorization, .noop), (.authorization, .rset),
            (.authorization, .last), (.authorization, .top), (.authorization, .uidl),
            (.awaitingPassword, .stat), (.awaitingPassword, .list), (.awaitingPassword, .retr),
            (.awaitingPassword, .dele), (.awaitingPassword, .noop), (.awaitingPassword, .rset),
            (.awaitingPassword, .last), (.awaitingPassword, .top), (.awaitingPassword, .uidl):
            return self.refuse(.loginFirst, into: &replies)

        case (.transaction, .user), (.transaction, .pass), (.transaction, .apop),
            (.transaction, .auth), (.transaction, .utf8), (.transaction, .stls),
            (.transaction, .xclient):
            return self.refuse(.alreadyLoggedIn, into: &replies)
        case (.transaction, .quit):
            return self.receiveQUIT(into: &replies)
        case (.transaction, .stat):
            return self.receiveSTAT(into: &replies)
        case (.transaction, .list(let message)):
            return self.request(.list(message: message), into: &replies)
        case (.transaction, .retr(let message)):
            return self.request(.retr(message: message), into: &replies)
        case (.transaction, .dele(let message)):
            return self.request(.dele(message: message), into: &replies)
        case (.transaction, .noop):
            return self.accept(.nothingDone, into: &replies)
        case (.transaction, .rset):
            return self.receiveRSET(into: &replies)
        case (.transaction, .last):
            return self.request(.last, into: &replies)
        case (.transaction, .top(let message, let lines)):
            return self.request(.top(message: message, lines: lines), into: &replies)
        case (.transaction, .uidl(let message)):
            return self.request(.uidl(message: message), into: &replies)

        case (.authorization, .capa), (.awaitingPassword, .capa), (.transaction, .capa):
            return self.receiveCAPA(into: &replies)
        case (.authorization, .lang(let range)), (.awaitingPassword, .lang(let range)),
            (.transaction, .lang(let range)):
            return self.receiveLANG(range, of: octets, into: &replies)
        case (.authorization, .malformed(let verb)), (.awaitingPassword, .malformed(let verb)),
            (.transaction, .malformed(let verb)):
            return self.refuse(verb, into: &replies)
        case (.authorization, .unknown), (.awaitingPassword, .unknown), (.transaction, .unknown):
            return self.refuse(.unknownCommand, into: &replies)
        case (.authorization, .foreign), (.awaitingPassword, .foreign), (.transaction, .foreign):
            return self.end(saying: .foreignProtocol, into: &replies)

        case (.awaitingGreeting, _), (.securing, _), (.authenticating, _),
            (.suspended, _), (.listing, _), (.sendingContent, _), (.closed, _):
            preconditionFailure("a command is for a session that awaits one")
        }
    }

    /// Says yes to a command that needs nothing more.
    mutating func accept(_ reply: POP3Reply, into replies: inout ReplyBuffer) -> Effect {
        self.reply(reply, into: &replies)
        return self.goOn(into: &replies)
    }
}

extension Span where Element == UInt8 {
    fileprivate func contains(_ octet: UInt8, in range: ByteRange) -> Bool {
        guard let index = self.firstIndex(of: octet, from: range.lowerBound) else { return false }
        return index < range.upperBound
    }
}
