// SPDX-License-Identifier: Apache-2.0
//
// One submitted message, given to a session in segments and chunks, and what became of it; beside
// it, the same worked out line by line on the whole text at once.

import MailBytes
import MailSyntax
import SMTPProtocol

/// What became of a submitted message.
struct SubmissionOutcome: Equatable {
    /// What was stored, with the fields that were added; nil when the message was refused.
    var content: String?
    /// What `.completeHeader` told; nil when there was no such question.
    var authors: [String]?
    /// The first reply that is a refusal, else the last.
    var reply = ""
}

extension SubmissionOutcome {
    static let added = "Date: now\r\nMessage-ID: <made@here>\r\n"

    static let settings = SMTPServerSettings(
        hostname: Array("mail.example".utf8),
        purpose: .submission,
        checksAuthors: true,
        addsMissingFields: true
    )

    /// Gives a message, whose lines end with CRLF, to a session.
    ///
    /// `chunks`: the sizes of BDAT chunks, over and over; empty: DATA. `segments`: how many octets
    /// come at once, over and over.
    init(_ message: String, chunks: [Int], segments: [Int]) {
        var session = SMTPServerSession(settings: Self.settings, peer: .unix)
        let hello = ["EHLO c", "MAIL FROM:<>", "RCPT TO:<b@c>"].map { "\($0)\r\n" }.joined()
        let wire = Array(hello.utf8) + Self.wire(Array(message.utf8), chunks)
        self.init()
        self.run(wire, segments, &session)
    }

    private static func wire(_ message: [UInt8], _ chunks: [Int]) -> [UInt8] {
        guard !chunks.isEmpty else { return Array("DATA\r\n".utf8) + message.stuffed }
        var wire: [UInt8] = []
        var rest = message[...]
        var index = 0
        repeat {
            let chunk = rest.prefix(chunks[index % chunks.count])
            rest = rest.dropFirst(chunk.count)
            let last = rest.isEmpty ? " LAST" : ""
            wire += Array("BDAT \(chunk.count)\(last)\r\n".utf8) + chunk
            index += 1
        } while !rest.isEmpty
        return wire
    }

    private mutating func run(
        _ wire: [UInt8],
        _ segments: [Int],
        _ session: inout SMTPServerSession
    ) {
        var replies = ReplyBuffer()
        var content: [UInt8] = []
        var consumed = 0
        var received = 0
        var segment = 0
        var step = session.reduce(.accepted(earlyTalk: false), into: &replies)
        // A step for each octet that comes, and a few to take it: no more than that.
        for _ in 0..<(6 * wire.count + 100) {
            consumed += step.consumed
            switch step.effect {
            case .verifySender:
                step = session.reduce(.answered(.senderPermitted), into: &replies)
                continue
            case .verifyRecipient:
                step = session.reduce(.answered(.recipientAccepted), into: &replies)
                continue
            case .openMessage:
                let id = MessageID(rawValue: 7)
                step = session.reduce(.answered(.messageOpened(id)), into: &replies)
                continue
            case .completeHeader:
                self.authors = String(decoding: session.authors.copy(), as: UTF8.self)
                    .split(separator: "\n").map(String.init)
                if session.lacksDate { content += Array(Self.added.utf8.prefix(11)) }
                if session.lacksMessageID { content += Array(Self.added.utf8.dropFirst(11)) }
                step = session.reduce(.answered(.headerCompleted), into: &replies)
                continue
            case .commitMessage:
                self.content = String(decoding: content, as: UTF8.self)
                step = session.reduce(.answered(.committed), into: &replies)
                continue
            case .awaitInput:
                guard received < wire.count else {
                    self.reply = Self.verdict(in: replies.span.copy())
                    return
                }
                received = min(wire.count, received + segments[segment % segments.count])
                segment += 1
            case .appendLineEnd:
                content += [0x0d, 0x0a]
            case .discardMessage, .proceed, .appendContent, .verifyMailbox, .expandList, .startTLS,
                .authenticate, .adoptClient, .startQueue, .findMail, .turnAround, .close:
                break
            }
            let octets = Array(wire[consumed..<received])
            step = session.reduce(.received(octets.span), into: &replies)
            if case .appendContent(let range) = step.effect { content += octets[range.indices] }
        }
        self.reply = "no end"
    }

    private static func verdict(in replies: [UInt8]) -> String {
        let lines = String(decoding: replies, as: UTF8.self).split(separator: "\r\n")
        return String(lines.first { $0.hasPrefix("5") } ?? lines.last ?? "")
    }
}

extension [UInt8] {
    /// The message as DATA carries it, with its end.
    fileprivate var stuffed: [UInt8] {
        var result: [UInt8] = []
        var isLineStart = true
        for octet in self {
            if isLineStart, octet == 0x2e { result.append(octet) }
            result.append(octet)
            isLineStart = octet == 0x0a
        }
        return result + Array(".\r\n".utf8)
    }
}
