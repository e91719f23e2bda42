// SPDX-License-Identifier: Apache-2.0
//
// What a submission server does at the end of a message's header (RFC 6409, sections 6.1 and 8): it
// asks whether the authors are the client's, and has missing fields appended where they belong,
// before the body.

internal import MailBytes

extension SMTPServerSession {
    /// The addresses of the From fields, LF between them, while `.completeHeader` is unanswered.
    public var authors: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.header.authors }
    }

    /// Whether a Date field is to be added, while `.completeHeader` is unanswered.
    public var lacksDate: Bool { self.settings.addsMissingFields && self.header.lacksDate }

    /// Whether a Message-ID field is to be added, while `.completeHeader` is unanswered.
    public var lacksMessageID: Bool {
        self.settings.addsMissingFields && self.header.lacksMessageID
    }

    /// One piece of content; nil: more octets must come, or `header` is due.
    struct ContentStep {
        var consumed: Int
        var piece: ContentDecoder.Piece?
    }

    /// Prepares for the first octet of a message.
    mutating func beginHeader() {
        let isNeeded = self.settings.checksAuthors || self.settings.addsMissingFields
        if self.isSubmitting, isNeeded { self.header.open() } else { self.header.close() }
    }

    /// Takes the next piece of content, which ends no later than the header.
    ///
    /// `last`: what the end of the octets is when they are all of a chunk.
    mutating func decode(
        _ octets: borrowing Span<UInt8>,
        last: HeaderScanner.Cut = .awaitsMore
    ) -> ContentStep {
        let before = self.decoder
        let step = self.decoder.decode(octets)
        guard self.header.isOpen else {
            return ContentStep(consumed: step.consumed, piece: step.piece)
        }
        switch step.piece {
        case .content(let range):
            // What follows in the same octets is a bare CR or LF.
            let cut = step.consumed < octets.count ? .isFinal : last
            switch self.header.scan(octets, range, cut) {
            case .goesOn:
                break
            case .undecided(let index), .ended(let index):
                self.decoder = before
                guard index > range.lowerBound else { return ContentStep(consumed: 0, piece: nil) }
                let first = self.decoder.decode(octets.extracting(0..<index))
                return ContentStep(consumed: first.consumed, piece: first.piece)
            }
        case .lineEnd:
            guard self.header.endLine() else { break }
            self.decoder = before
            return ContentStep(consumed: 0, piece: nil)
        case .end:
            self.header.endContent()
            self.decoder = before
            return ContentStep(consumed: 0, piece: nil)
        case .bareLineEnd, .incomplete:
            break
        }
        return ContentStep(consumed: step.consumed, piece: step.piece)
    }

    /// Ends the header because no chunk follows; false when its last line is to end first.
    mutating func endHeaderWithContent() -> Bool {
        // A CR whose LF will not come ends a line all the same, and an empty one the header.
        guard !self.decoder.isAfterCR else { return self.header.endLine() }
        self.header.endContent()
        return true
    }

    /// Asks about a header that is due, within DATA or this chunk of BDAT.
    mutating func judgeHeader(_ chunk: SMTPCommand.Chunk?) -> Effect {
        if self.header.lacksLineEnd {
            self.header.addLineEnd()
            return .appendLineEnd
        }
        if self.settings.checksAuthors {
            guard self.header.isAuthorReadable else {
                return self.refuseHeader(.authorUnreadable, chunk)
            }
            guard !self.header.authors.isEmpty else {
                return self.refuseHeader(.authorMissing, chunk)
            }
        } else if !self.lacksDate, !self.lacksMessageID {
            return self.closeHeader()
        }
        self.phase = .suspended(.completeHeader(chunk: chunk))
        return .completeHeader
    }

    /// Takes the answer to `.completeHeader`.
    mutating func receiveCompletion(_ answer: Answer, _ chunk: SMTPCommand.Chunk?) -> Effect {
        switch answer {
        case .headerCompleted:
            if let chunk {
                self.phase = .receivingChunk(chunk)
            } else {
                self.phase = .receivingContent
            }
            return self.closeHeader()
        case .authorForbidden:
            return self.refuseHeader(.authorForbidden, chunk)
        case .storeFull:
            return self.refuseHeader(.storeFull, chunk)
        case .temporaryFailure:
            return self.refuseHeader(.temporaryFailure, chunk)
        case .senderPermitted, .senderForbidden, .recipientAccepted, .recipientUnknown,
            .relayingDenied, .rateExceeded, .mailboxFull, .mailboxVerified,
            .mailboxUnknown, .messageOpened, .committed, .recipientCommitted, .commitFailed,
            .xclientAdopted, .xclientRefused, .mailboxUnverified, .queueStarted, .queueForbidden:
            preconditionFailure("this is no answer about a header")
        }
    }

    private mutating func closeHeader() -> Effect {
        self.header.close()
        return self.header.lacksEmptyLine ? .appendLineEnd : .proceed
    }

    private mutating func refuseHeader(
        _ reason: SMTPReply,
        _ chunk: SMTPCommand.Chunk?
    ) -> Effect {
        self.header.close()
        if let chunk {
            self.phase = .refusingChunk(reason, chunk, then: .ready)
        } else {
            self.phase = .refusingContent(reason)
        }
        return .discardMessage
    }
}
