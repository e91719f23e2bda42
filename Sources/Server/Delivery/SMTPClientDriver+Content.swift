// SPDX-License-Identifier: Apache-2.0
//
// Content on its way to a peer: in one call of the system with the commands before it, when it is
// at hand and needs no transparency, else in parts, each after the peer has taken what came before.

internal import EventLoop
internal import MailBytes
internal import SMTPProtocol

/// How far the content of one message has gone.
struct ContentFeed {
    let content: OutgoingContent
    var encoder = ContentEncoder(normalising: true)
    /// How content goes out; nil until that is asked for.
    var form: SMTPClientSession.ContentForm?
    /// How many octets were read for it.
    var offset = 0
    /// Whether a part was asked for and has not come.
    var isReading = false

    init(_ content: OutgoingContent) { self.content = content }

    /// Whether a part of the content has left, and its end has not.
    var isUnderWay: Bool { self.form != nil }
}

extension SMTPClientDriver {
    /// Parts of a content that is read from the store.
    private static let partOctets = 1 << 16
    /// Beyond so much that the peer has not taken, no more is read.
    private static let backlogOctetsMax = 1 << 17
    private static let dot: [UInt8] = Array(".\r\n".utf8)
    private static let lineEndAndDot: [UInt8] = Array("\r\n.\r\n".utf8)
    private static let lineEnd: [UInt8] = [.cr, .lf]
    private static let nothing: [UInt8] = []

    /// Sends the content, or begins to; true when all of it has been given to the stream.
    func send(_ form: SMTPClientSession.ContentForm) -> Bool {
        guard let content = self.feed?.content else {
            preconditionFailure("the session asks for the content of a message that it was given")
        }
        guard let octets = content.octets else {
            self.feed?.form = form
            self.flush()
            self.readPart()
            return false
        }
        switch form {
        case .dotStuffed where content.needsStuffing:
            self.flush()
            self.sendEncoded(octets.span, isLast: true)
        case .dotStuffed:
            self.sendWhole(octets, end: content.endsWithCRLF ? Self.dot : Self.lineEndAndDot)
        case .chunk(let count):
            precondition(count == content.sentCount, "a chunk has as many octets as its message")
            self.sendWhole(octets, end: content.endsWithCRLF ? Self.nothing : Self.lineEnd)
        }
        return true
    }

    /// Ends the sending: the session awaits the reply now.
    func contentSent() -> SMTPClientSession.Effect {
        self.feed = nil
        return self.noteContentSent()
    }

    private func sendEncoded(_ octets: borrowing Span<UInt8>, isLast: Bool) {
        var encoded = ReplyBuffer(capacity: octets.count + octets.count / 64 + 16)
        self.feed?.encoder.encode(octets, into: &encoded)
        if isLast { self.feed?.encoder.finish(into: &encoded) }
        self.stream.send(encoded.span)
    }

    // MARK: - In parts

    private func readPart() {
        guard let offset = self.feed?.offset else { return }
        self.feed?.isReading = true
        self.owner?.readContent(for: self, offset: offset, octetsMax: Self.partOctets)
    }

    /// The peer has taken what was sent.
    func feedMore() {
        guard let feed = self.feed, feed.isUnderWay, !feed.isReading else { return }
        self.readPart()
    }

    /// The part that was asked for last.
    package func contentRead(_ octets: [UInt8], isLast: Bool) {
        guard let feed = self.feed, let form = feed.form, feed.isReading else { return }
        guard isLast || !octets.isEmpty else { return self.contentFailed() }
        self.feed?.isReading = false
        self.feed?.offset += octets.count
        switch form {
        case .dotStuffed: self.sendEncoded(octets.span, isLast: isLast)
        case .chunk:
            self.stream.send(octets.span)
            if isLast, !feed.content.endsWithCRLF { self.stream.send(Self.lineEnd.span) }
        }
        if isLast { return self.endContent() }
        if self.stream.pendingOutputCount <= Self.backlogOctetsMax { self.readPart() }
    }

    /// The part that was asked for cannot be had: what the peer got must not look like a message.
    package func contentFailed() {
        guard self.feed?.isReading ?? false else { return }
        self.stream.abort()
    }
}
