// SPDX-License-Identifier: Apache-2.0
//
// A mail transaction as its client sees it: which commands were said, which were answered, and how
// each recipient stands. What is said and how a reply is meant is the session's.

internal import MailSyntax

/// One transaction under way, or the outcomes of the last one.
struct SMTPClientTransaction {
    /// The commands of a transaction in their order.
    enum Command: Equatable, BitwiseCopyable {
        case reset
        case mail
        /// The recipient with this index in the envelope.
        case recipient(Int)
        /// DATA, or BDAT with the content behind it.
        case content
        /// None is left.
        case none
    }

    /// How a recipient stands.
    enum Standing: Equatable, BitwiseCopyable {
        /// It is not named to the peer; its outcome stands.
        case excluded
        /// Its outcome is open.
        case open
        /// The peer has accepted it; the content decides.
        case accepted
        /// Its outcome stands.
        case decided
    }

    /// How far the content is.
    enum Content: Equatable, BitwiseCopyable {
        /// It was not asked for.
        case unsent
        /// The driver sends it.
        case sending
        /// It is with the peer.
        case sent
        /// There is nobody for it, and a lone dot went out in its place.
        case void
    }

    private(set) var envelope: SMTPClientEnvelope?
    private(set) var outcomes: [SMTPClientOutcome] = []
    private(set) var standings: [Standing] = []
    /// The next command to say.
    private(set) var next = Command.none
    /// The next command to be answered.
    private(set) var awaited = Command.none
    /// How many commands were said and not answered.
    private(set) var unansweredCount = 0
    private(set) var content = Content.unsent
    /// Whether the content goes behind BDAT.
    private(set) var isChunked = false
    var isMailAccepted = false
    var isMailRefused = false
    /// The first recipient whose reply to the content is awaited (RFC 2033, section 4.2).
    private var contentIndex = 0

    /// Begins; all outcomes are open.
    mutating func begin(_ envelope: SMTPClientEnvelope, resets: Bool, isChunked: Bool) {
        let count = envelope.recipients.count
        self = SMTPClientTransaction()
        self.envelope = envelope
        self.isChunked = isChunked
        self.outcomes = Array(repeating: Self.untried, count: count)
        self.standings = Array(repeating: .open, count: count)
        self.next = resets ? .reset : .mail
        self.awaited = self.next
    }

    /// Whether the driver is to send content, or does.
    var isSendingContent: Bool { self.content == .sending }

    /// Whether a recipient may still get the message.
    var isHopeful: Bool { self.standings.contains { $0 == .open || $0 == .accepted } }

    /// Whether the peer has accepted a recipient.
    var hasAccepted: Bool { self.standings.contains(.accepted) }

    /// What the next reply answers.
    var stage: SMTPClientStage {
        switch self.awaited {
        case .reset: .reset
        case .mail: .mail
        case .recipient: .recipient
        case .content: self.content == .unsent ? .data : .content
        case .none: .envelope
        }
    }

    // MARK: - Commands

    /// Notes that `next` was said.
    mutating func say() {
        self.unansweredCount += 1
        self.next = self.command(after: self.next)
    }

    /// Notes that `awaited` was answered.
    mutating func takeReply() {
        self.unansweredCount -= 1
        self.awaited = self.command(after: self.awaited)
    }

    /// Names no further recipient, and asks for no content.
    mutating func sayNoMore() {
        self.next = .none
    }

    private func command(after command: Command) -> Command {
        switch command {
        case .reset: .mail
        case .mail: self.recipient(from: 0)
        case .recipient(let index): self.recipient(from: index + 1)
        case .content, .none: .none
        }
    }

    private func recipient(from index: Int) -> Command {
        let index = self.standings[index...].firstIndex { $0 != .excluded }
        return index.map { .recipient($0) } ?? .content
    }

    // MARK: - Content

    mutating func beginContent() {
        self.content = .sending
    }

    /// Takes `.contentSent`.
    mutating func finishContent() {
        precondition(self.content == .sending, "content is sent when it was asked for")
        self.content = .sent
    }

    mutating func voidContent() {
        self.content = .void
    }

    /// The next recipient that the peer has a reply for, where each has its own.
    mutating func nextAccepted() -> Int? {
        let index = self.standings[self.contentIndex...].firstIndex(of: .accepted)
        self.contentIndex = index.map { $0 + 1 } ?? self.standings.count
        return index
    }

    // MARK: - Outcomes

    mutating func accept(_ index: Int) {
        self.standings[index] = .accepted
    }

    mutating func decide(_ index: Int, _ outcome: SMTPClientOutcome) {
        self.outcomes[index] = outcome
        self.standings[index] = .decided
    }

    /// Leaves a recipient out of what is said.
    mutating func exclude(_ index: Int, _ outcome: SMTPClientOutcome) {
        self.outcomes[index] = outcome
        self.standings[index] = .excluded
    }

    /// Decides about all recipients that are open or accepted.
    mutating func decideRest(_ outcome: SMTPClientOutcome) {
        for index in self.standings.indices {
            switch self.standings[index] {
            case .open, .accepted: self.decide(index, outcome)
            case .excluded, .decided: break
            }
        }
    }

    /// Defers all recipients that nothing was decided about: the session is over.
    mutating func end(_ failure: SMTPClientFailure) {
        self.decideRest(
            SMTPClientOutcome(
                verdict: .deferred,
                code: failure.code,
                status: EnhancedStatus(4, failure.status.subject, failure.status.detail),
                stage: failure.stage,
                text: failure.text
            )
        )
        self.conclude()
    }

    /// Keeps the outcomes alone.
    mutating func conclude() {
        self.envelope = nil
        self.content = .unsent
        self.awaited = .none
        self.next = .none
    }

    private static let untried = SMTPClientOutcome(
        verdict: .deferred,
        code: 0,
        status: EnhancedStatus(4, 4, 0),
        stage: .envelope,
        text: Array("not tried".utf8)
    )
}
