// SPDX-License-Identifier: Apache-2.0
//
// The texts that outlive the line they came in: the client's name, the reverse-path, recipients and
// the mailbox that is being asked about. They stand one behind the other in one array, so that a
// session costs one allocation and a command none.

internal import MailBytes

/// The texts of a session and of its transaction.
struct Envelope {
    private var octets: [UInt8] = []
    private var clientNameEnd = 0
    private var reversePathEnd = 0
    private var envelopeIDEnd = 0
    private var firstRecipientEnd = 0
    private var recipientsEnd = 0
    private var questionEnd = 0

    /// Room for a name and a usual transaction; and what an idle session may keep.
    private static let octetsAtFirst = 224
    private static let octetsKept = 4096

    var clientName: Span<UInt8> {
        @_lifetime(borrow self) borrowing get {
            self.octets.span.extracting(0..<self.clientNameEnd)
        }
    }

    var reversePath: Span<UInt8> {
        @_lifetime(borrow self) borrowing get {
            self.octets.span.extracting(self.clientNameEnd..<self.reversePathEnd)
        }
    }

    /// The value of ENVID (RFC 3461, section 4.4); empty when there is none.
    var envelopeID: Span<UInt8> {
        @_lifetime(borrow self) borrowing get {
            self.octets.span.extracting(self.reversePathEnd..<self.envelopeIDEnd)
        }
    }

    /// The first recipient that was kept; empty when there is none.
    var firstRecipient: Span<UInt8> {
        @_lifetime(borrow self) borrowing get {
            self.octets.span.extracting(self.envelopeIDEnd..<self.firstRecipientEnd)
        }
    }

    /// The mailbox under question.
    var question: Span<UInt8> {
        @_lifetime(borrow self) borrowing get {
            self.octets.span.extracting(self.recipientsEnd..<self.questionEnd)
        }
    }

    /// The value of ORCPT (RFC 3461, section 4.2) of the mailbox under question; empty when there
    /// is none.
    var originalRecipient: Span<UInt8> {
        @_lifetime(borrow self) borrowing get {
            self.octets.span.extracting(self.questionEnd..<self.octets.count)
        }
    }

    /// Takes a new name and forgets the rest.
    mutating func setClientName(_ line: borrowing Span<UInt8>, _ range: ByteRange) {
        if self.octets.capacity == 0 { self.octets.reserveCapacity(Self.octetsAtFirst) }
        self.octets.removeAll(keepingCapacity: true)
        self.octets.append(line.extracting(range.indices))
        self.clientNameEnd = self.octets.count
        self.forgetTransaction()
    }

    /// Begins a transaction.
    mutating func setReversePath(
        _ line: borrowing Span<UInt8>,
        _ range: ByteRange,
        envelopeID: ByteRange?
    ) {
        self.forgetTransaction()
        self.octets.append(line.extracting(range.indices))
        self.reversePathEnd = self.octets.count
        if let envelopeID { self.octets.append(line.extracting(envelopeID.indices)) }
        self.envelopeIDEnd = self.octets.count
        self.firstRecipientEnd = self.octets.count
        self.recipientsEnd = self.octets.count
        self.questionEnd = self.octets.count
    }

    mutating func setQuestion(
        _ line: borrowing Span<UInt8>,
        _ range: ByteRange,
        originalRecipient: ByteRange? = nil
    ) {
        self.dropQuestion()
        self.octets.append(line.extracting(range.indices))
        self.questionEnd = self.octets.count
        if let originalRecipient {
            self.octets.append(line.extracting(originalRecipient.indices))
        }
    }

    mutating func dropQuestion() {
        self.octets.removeLast(self.octets.count - self.recipientsEnd)
        self.questionEnd = self.recipientsEnd
    }

    /// Makes the mailbox under question a recipient; what was asked for with it is dropped.
    ///
    /// The first is always kept, for the Received field; the others only when replies will name
    /// them, each with an LF behind it, which no mailbox contains.
    mutating func keepQuestion(all: Bool) {
        let isFirst = self.recipientsEnd == self.envelopeIDEnd
        guard isFirst || all else { return self.dropQuestion() }
        self.octets.removeLast(self.octets.count - self.questionEnd)
        if isFirst { self.firstRecipientEnd = self.octets.count }
        self.octets.append(.lf)
        self.recipientsEnd = self.octets.count
        self.questionEnd = self.octets.count
    }

    /// Appends the recipient that begins `offset` octets into the recipients; returns the offset
    /// of the next one.
    func appendRecipient(at offset: Int, to replies: inout ReplyBuffer) -> Int {
        let start = self.envelopeIDEnd + offset
        guard let end = self.octets.span.firstIndex(of: .lf, from: start) else { return offset }
        replies.append(self.octets.span, ByteRange(start, end))
        return end + 1 - self.envelopeIDEnd
    }

    /// Forgets everything.
    mutating func forgetClientName() {
        self.clientNameEnd = 0
        self.forgetTransaction()
    }

    /// Forgets all but the client's name.
    mutating func forgetTransaction() {
        self.octets.removeLast(self.octets.count - self.clientNameEnd)
        if self.octets.capacity > Self.octetsKept { self.octets = self.octets.span.copy() }
        self.reversePathEnd = self.clientNameEnd
        self.envelopeIDEnd = self.clientNameEnd
        self.firstRecipientEnd = self.clientNameEnd
        self.recipientsEnd = self.clientNameEnd
        self.questionEnd = self.clientNameEnd
    }
}
