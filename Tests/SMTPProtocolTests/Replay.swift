// SPDX-License-Identifier: Apache-2.0
//
// A driver that only writes down what a session says and wants, and keeps the message that is
// open. It rejects effects that make no sense together.

import MailBytes
import MailSyntax
import SASL
import SMTPProtocol
import Testing
import TranscriptSupport

/// A session with its input queue, its message and the trace of all it did.
final class Replay: ReplayedSession {
    private(set) var session: SMTPServerSession
    private let showsTrace: Bool
    private var input: [UInt8] = []
    private var output: [UInt8] = []
    /// The content that is being received.
    private var message: [UInt8]?
    /// Octets of it that the client did not send.
    private var addedCount = 0
    private var isSuspended = false
    private var isSecuring = false
    private(set) var trace: [String] = []
    private(set) var isClosed = false

    init(_ settings: SMTPServerSettings, peer: NetworkAddress, options: [String: Int] = [:]) {
        self.session = SMTPServerSession(
            settings: settings,
            peer: peer,
            offersXCLIENT: options["xclient"] != nil
        )
        self.session.canBeginTLS = options["no-tls"] == nil
        self.showsTrace = options["trace"] != nil
        if options["implicit"] != nil {
            self.secure(options.keys.map { $0 })
            self.isSuspended = false
        }
        self.step(.accepted(earlyTalk: options["early-talk"] != nil))
    }

    func feed(_ octets: [UInt8]) {
        // What comes before TLS is up is dropped.
        guard !self.isSecuring else { return }
        self.input += octets
        self.pump()
    }

    func answer(_ text: String) {
        guard self.isSuspended else {
            Issue.record("nothing was asked, but there is an answer: \(text)")
            return
        }
        self.isSuspended = false
        let words = text.split(separator: " ").map(String.init)
        switch words[0] {
        case "permitted": self.step(.answered(.senderPermitted))
        case "forbidden": self.step(.answered(.senderForbidden))
        case "rateExceeded": self.step(.answered(.rateExceeded))
        case "completed": self.complete()
        case "authorForbidden": self.step(.answered(.authorForbidden))
        case "adopted": self.step(.answered(.xclientAdopted))
        case "refused": self.step(.answered(.xclientRefused))
        case "accepted": self.step(.answered(.recipientAccepted))
        case "unknown": self.step(.answered(.recipientUnknown))
        case "relayingDenied": self.step(.answered(.relayingDenied))
        case "full": self.step(.answered(.mailboxFull(permanent: false)))
        case "neverFits": self.step(.answered(.mailboxFull(permanent: true)))
        case "mailboxVerified": self.step(.answered(.mailboxVerified))
        case "mailboxUnverified": self.step(.answered(.mailboxUnverified))
        case "started":
            self.step(.answered(.queueStarted(recipients: Int(words[1]) ?? 0)))
        case "queueForbidden": self.step(.answered(.queueForbidden))
        case "mailboxUnknown": self.step(.answered(.mailboxUnknown))
        case "opened": self.open()
        case "storeFull": self.step(.answered(.storeFull))
        case "committed": self.step(.answered(.committed))
        case "recipientCommitted": self.step(.answered(.recipientCommitted))
        case "commitFailed": self.step(.answered(.commitFailed))
        case "temporaryFailure": self.step(.answered(.temporaryFailure))
        case "listed":
            let members = Array(words.dropFirst().joined(separator: "\n").utf8)
            self.step(.listed(members.span))
        default: self.answerLogin(words)
        }
        self.pump()
    }

    /// Appends what the header lacks, as a driver does.
    private func complete() {
        var fields = ""
        if self.session.lacksDate { fields += "Date: now\r\n" }
        if self.session.lacksMessageID { fields += "Message-ID: <made@here>\r\n" }
        self.message?.append(contentsOf: fields.utf8)
        self.addedCount += fields.utf8.count
        self.step(.answered(.headerCompleted))
    }

    private func secure(_ words: [String]) {
        self.isSecuring = false
        self.step(
            .secured(
                hasClientCertificate: words.contains("certificate"),
                bindsChannel: words.contains("binding")
            )
        )
    }

    func happen(_ event: String) {
        switch event {
        case "stopping": self.step(.stopping)
        case "deadline": self.step(.deadlinePassed)
        case "slow": self.step(.tooSlow)
        case "closed": self.step(.peerClosed)
        case "secured", "secured binding", "secured certificate":
            self.secure(event.split(separator: " ").map(String.init))
        default: Issue.record("what event is \(event)?")
        }
        self.pump()
    }

    private func open() {
        let id = MessageID(rawValue: 7)
        var trace = ReplyBuffer()
        let date = MailDate(secondsSince1970: 1_795_000_000)
        self.session.appendTrace(to: &trace, id: id, date: date)
        self.message = self.showsTrace ? trace.span.copy() : []
        self.addedCount = self.message?.count ?? 0
        self.step(.answered(.messageOpened(id)))
    }

    private func pump() {
        var idleSteps = 0
        while !self.isClosed, !self.isSuspended, !self.isSecuring {
            let before = self.input.count
            let traceBefore = self.output.count + self.trace.count
            let input = self.input
            let effect = self.step(.received(input.span))
            guard effect != .awaitInput else { return }
            let isIdle =
                before == self.input.count && effect == .proceed
                && traceBefore == self.output.count + self.trace.count
            idleSteps = isIdle ? idleSteps + 1 : 0
            guard idleSteps < 3 else {
                Issue.record("the session proceeds without progress")
                return
            }
        }
    }

    @discardableResult
    func step(_ event: borrowing SMTPServerSession.Event) -> SMTPServerSession.Effect {
        var replies = ReplyBuffer()
        let contentOctets = self.session.contentOctets
        let step = self.session.reduce(event, into: &replies)
        // A line end of the session's own is not the client's.
        if step.effect == .appendLineEnd, self.session.contentOctets == contentOctets {
            self.addedCount += 2
        }
        self.output += replies.span.copy()
        self.takeLines()
        self.perform(step.effect)
        #expect(step.consumed >= 0 && step.consumed <= self.input.count)
        self.input.removeFirst(step.consumed)
        return step.effect
    }

    private func perform(_ effect: SMTPServerSession.Effect) {
        let question = escaped(self.session.recipientUnderQuestion.copy())
        let original = escaped(self.session.originalRecipientUnderQuestion.copy())
        switch effect {
        case .proceed: break
        case .awaitInput: self.isSuspended = self.session.awaiting == .answer
        case .startTLS:
            self.trace.append("!: startTLS")
            self.isSecuring = true
            #expect(self.session.awaiting == .answer)
        case .authenticate(let question):
            self.ask(Self.text(question, self.session.exchange))
        case .adoptClient: self.ask("adoptClient \(self.proposal)")
        case .verifySender: self.ask("verifySender <\(escaped(self.session.reversePath.copy()))>")
        case .completeHeader:
            let date = self.session.lacksDate ? " Date" : ""
            let id = self.session.lacksMessageID ? " Message-ID" : ""
            let authors = escaped(self.session.authors.copy())
            self.ask("completeHeader \"\(authors)\" lacks\(date)\(id)")
        case .verifyRecipient: self.ask("verifyRecipient <\(question)>\(self.requests(original))")
        case .startQueue(let scope):
            self.ask("startQueue \(question)\(scope == .domain ? "" : " and below")")
        case .findMail: self.ask("findMail \(question.isEmpty ? "of all" : question)")
        case .turnAround:
            self.trace.append("!: turnAround")
            self.isClosed = true
            #expect(self.session.awaiting == .nothing)
        case .verifyMailbox: self.ask("verifyMailbox <\(question)>")
        case .expandList: self.ask("expandList <\(question)>")
        case .openMessage:
            let sender = escaped(self.session.reversePath.copy())
            let size = self.session.declaredOctets.map { " size \($0)" } ?? ""
            let utf8 = self.session.isUTF8 ? " utf8" : ""
            #expect(self.message == nil, "one message at a time")
            let count = self.session.recipientCount
            self.ask("openMessage <\(sender)> to \(count)\(size)\(utf8)\(self.options())")
        case .appendContent(let range):
            #expect(self.message != nil && !range.isEmpty)
            self.message?.append(contentsOf: self.input[range.indices])
        case .appendLineEnd:
            #expect(self.message != nil)
            self.message?.append(contentsOf: [0x0d, 0x0a])
        case .commitMessage: self.commit()
        case .discardMessage:
            #expect(self.message != nil, "only an open message can be discarded")
            self.message = nil
            self.trace.append("!: discardMessage")
        case .close:
            self.trace.append("!: close")
            self.isClosed = true
            #expect(self.session.awaiting == .nothing)
        }
    }

    /// What RCPT asks for beside its path.
    private func requests(_ original: String) -> String {
        let notify = self.session.notifyUnderQuestion
        var words: [String] = []
        if notify.contains(.never) { words.append("never") }
        if notify.contains(.success) { words.append("success") }
        if notify.contains(.failure) { words.append("failure") }
        if notify.contains(.delay) { words.append("delay") }
        if !original.isEmpty { words.append("orcpt \(original)") }
        return words.map { " \($0)" }.joined()
    }

    /// What MAIL asks for beside its path, its size and SMTPUTF8.
    private func options() -> String {
        let options = self.session.options
        let isUTF8 = self.session.isUTF8
        #expect(options.needsUTF8 == isUTF8)
        var words: [String] = []
        if options.body == .eightBitMIME { words.append("8bit") }
        if options.requiresTLS { words.append("tls") }
        if options.returnedContent != .unspecified { words.append("\(options.returnedContent)") }
        if !options.envelopeID.isEmpty { words.append("envid \(escaped(options.envelopeID))") }
        return words.map { " \($0)" }.joined()
    }

    private func commit() {
        let content = self.message ?? []
        #expect(self.message != nil)
        #expect(self.session.contentOctets == content.count - self.addedCount)
        self.message = nil
        self.ask("commitMessage \"\(escaped(content))\"")
    }

    private func ask(_ question: String) {
        self.trace.append("!: \(question)")
        self.isSuspended = true
        #expect(self.session.awaiting == .answer)
    }

    private func takeLines() {
        var start = 0
        for index in self.output.indices.dropFirst()
        where self.output[index] == 0x0a && self.output[index - 1] == 0x0d {
            let line = self.output[start..<(index - 1)]
            self.trace.append("S: " + escaped(line))
            self.check(line)
            start = index + 1
        }
        if let last = self.trace.last, start > 0 {
            let isError = last.hasPrefix("S: 4") || last.hasPrefix("S: 5")
            #expect(self.session.lastReplyWasError == isError)
        }
        #expect(start == self.output.count, "a reply ends with CRLF")
        self.output.removeFirst(start)
    }

    /// What holds for every line of a reply.
    private func check(_ line: ArraySlice<UInt8>) {
        #expect(line.count <= 510, "RFC 5321, section 4.5.3.1.5")
        let text = String(decoding: line, as: UTF8.self)
        let isError = text.hasPrefix("4") || text.hasPrefix("5")
        // RFC 2034, section 4: the class of the enhanced status code is the reply's.
        if isError { #expect(text.dropFirst(4).hasPrefix("\(text.prefix(1)).")) }
    }
}
