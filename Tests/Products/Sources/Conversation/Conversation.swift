// SPDX-License-Identifier: Apache-2.0
//
// A mail server without a network: one message comes in by SMTP and goes out by POP3, and is handed
// on to another server; what is said goes to standard output.

import MailBytes
import MailSyntax
import POP3Protocol
import SASL
import SMTPProtocol

/// Mail in memory, and the two conversations about it.
struct Conversation {
    var mailbox: [[UInt8]] = []

    mutating func receive(_ lines: [String]) {
        let settings = SMTPServerSettings(hostname: Array("mail.example".utf8))
        let peer = NetworkAddress(ipv4: 0x7f00_0001, port: 49152)
        var session = SMTPServerSession(settings: settings, peer: peer)
        var replies = ReplyBuffer()
        var message: [UInt8] = []
        var input: [UInt8] = []
        var lines = lines[...]
        var step = session.reduce(.accepted(earlyTalk: false), into: &replies)
        while true {
            var answer: SMTPServerSession.Answer?
            switch step.effect {
            case .close:
                return show(&replies)
            case .appendContent(let range):
                message += input[range.indices]
            case .appendLineEnd:
                message += [0x0d, 0x0a]
            case .verifyRecipient:
                let address = Address(octets: session.recipientUnderQuestion)
                answer = address?.isPostmaster == true ? .recipientAccepted : .recipientUnknown
            case .openMessage:
                var trace = ReplyBuffer()
                let date = MailDate(secondsSince1970: 0)
                session.appendTrace(to: &trace, id: MessageID(rawValue: 1), date: date)
                message = trace.span.copy()
                answer = .messageOpened(MessageID(rawValue: 1))
            case .commitMessage:
                self.mailbox.append(message)
                answer = .committed
            case .verifySender:
                answer = .senderPermitted
            case .completeHeader:
                answer = .headerCompleted
            case .verifyMailbox, .expandList, .adoptClient, .startQueue, .findMail:
                answer = .temporaryFailure
            case .startTLS, .authenticate, .turnAround:
                return
            case .proceed, .discardMessage, .awaitInput:
                break
            }
            input.removeFirst(step.consumed)
            show(&replies)
            if let answer {
                step = session.reduce(.answered(answer), into: &replies)
                continue
            }
            if step.effect == .awaitInput {
                guard let line = lines.popFirst() else { return }
                input += Array((line + "\r\n").utf8)
            }
            step = session.reduce(.received(input.span), into: &replies)
        }
    }

    func serve(_ lines: [String]) {
        let settings = POP3ServerSettings(
            hostname: Array("mail.example".utf8),
            mechanisms: [.plain],
            permitsPlaintext: true
        )
        var session = POP3ServerSession(settings: settings)
        var replies = ReplyBuffer()
        var input = Array(lines.joined(separator: "\r\n").utf8) + [0x0d, 0x0a]
        let octets = self.mailbox.map(\.count)
        var step = session.reduce(.accepted(earlyTalk: false, nonce: 1, clock: 2), into: &replies)
        while step.effect != .close {
            input.removeFirst(step.consumed)
            show(&replies)
            switch step.effect {
            case .authenticate:
                let isKnown = session.exchange.password.copy() == Array("p".utf8)
                step = session.reduce(
                    .authenticationAnswered(isKnown ? .accepted : .rejected),
                    into: &replies
                )
            case .openMaildrop:
                let total = octets.reduce(0, +)
                let answer = POP3ServerSession.Answer.loggedIn(
                    messages: octets.count,
                    octets: total
                )
                step = session.reduce(.answered(answer), into: &replies)
            case .logIn:
                let isKnown = session.userName.copy() == Array("postmaster".utf8)
                let total = octets.reduce(0, +)
                let answer: POP3ServerSession.Answer =
                    isKnown
                    ? .loggedIn(messages: octets.count, octets: total) : .loginRefused
                step = session.reduce(.answered(answer), into: &replies)
            case .listMaildrop:
                let listing = MaildropListing(
                    incarnation: 1,
                    sequences: octets.indices.map { UInt32($0 + 1) },
                    octets: octets
                )
                step = session.reduce(.listed(listing), into: &replies)
            case .readContent(let message, let offset):
                let rest = Array(self.mailbox[Int(message)][offset...])
                step = session.reduce(
                    .contentRead(
                        rest.span,
                        isLast: true,
                        needsStuffing: ContentEncoder.mayStuff(rest.span)
                    ),
                    into: &replies
                )
                if case .sendContent(let range) = step.effect {
                    replies.append(rest.span, range)
                    step = session.reduce(.received(input.span), into: &replies)
                }
            case .commitDeletions:
                step = session.reduce(.answered(.deletionsCommitted), into: &replies)
            case .adoptClient:
                step = session.reduce(.answered(.xclientRefused), into: &replies)
            case .proceed, .awaitInput, .startTLS, .sendContent, .close:
                step = session.reduce(.received(input.span), into: &replies)
            }
        }
        show(&replies)
    }
}

extension Conversation {
    /// Hands the first message on to a server that says these lines, each when it is its turn.
    func handOn(_ lines: [String]) {
        let settings = SMTPClientSettings(clientName: Array("mail.example".utf8))
        var session = SMTPClientSession(settings: settings)
        var commands = ReplyBuffer()
        var lines = lines[...]
        var input: [UInt8] = []
        let content = self.mailbox[0]
        var step = session.reduce(.connected, into: &commands)
        while step.effect != .close {
            show(&commands)
            input.removeFirst(step.consumed)
            switch step.effect {
            case .ready:
                let envelope = SMTPClientEnvelope(
                    reversePath: [],
                    recipients: [SMTPClientEnvelope.Recipient(mailbox: Array("c@example".utf8))],
                    octets: content.count
                )
                step = session.reduce(.transaction(envelope), into: &commands)
            case .sendContent:
                var encoder = ContentEncoder(normalising: true)
                encoder.encode(content.span, into: &commands)
                encoder.finish(into: &commands)
                step = session.reduce(.contentSent, into: &commands)
            case .finished:
                print("\(session.outcome(at: 0).verdict)", terminator: "\r\n")
                step = session.reduce(.quit, into: &commands)
            case .startTLS, .authenticate:
                return
            case .awaitInput:
                guard let line = lines.popFirst() else { return }
                input += Array((line + "\r\n").utf8)
                step = session.reduce(.received(input.span), into: &commands)
            case .proceed, .close:
                step = session.reduce(.received(input.span), into: &commands)
            }
        }
    }
}

func show(_ replies: inout ReplyBuffer) {
    print(String(decoding: replies.span.copy(), as: UTF8.self), terminator: "")
    replies.removeAll()
}

@main
struct Main {
    static func main() {
        var conversation = Conversation()
        conversation.receive([
            "EHLO client.example", "MAIL FROM:<a@client.example>", "RCPT TO:<b@mail.example>",
            "RCPT TO:<Postmaster@mail.example>", "DATA", "Subject: hello", "", "..stuffed", ".",
            "QUIT",
        ])
        conversation.handOn([
            "220 there.example", "250 there.example", "250 OK", "250 OK", "354 go on", "250 taken",
            "221 bye",
        ])
        conversation.serve(["USER postmaster", "PASS p", "STAT", "RETR 1", "DELE 1", "QUIT"])
    }
}
