// SPDX-License-Identifier: Apache-2.0
//
// Puts a report together: its header fields, and the three parts of multipart/report (RFC 6522,
// section 3).

internal import MailBytes
internal import MailSyntax

/// The making of one report.
struct ReportComposer {
    let reporter: DeliveryReport.Reporter
    let identity: DeliveryReport.Identity
    let message: ReportedMessage
    let recipients: [ReportedRecipient]
    /// What the envelope of the report asks for; complete after `compose()`.
    private(set) var options = EnvelopeOptions()

    init(
        _ reporter: DeliveryReport.Reporter,
        _ identity: DeliveryReport.Identity,
        _ message: ReportedMessage,
        _ recipients: [ReportedRecipient]
    ) {
        self.reporter = reporter
        self.identity = identity
        self.message = message
        self.recipients = recipients
        self.options.needsUTF8 = !ReportText.isASCII(message.reversePath)
        // What nobody may read on its way there, nobody may read on its way back (RFC 8689,
        // section 5).
        self.options.requiresTLS = message.options.requiresTLS
    }

    /// Whether header fields may be UTF-8: only a report to such a mailbox goes to people whose
    /// servers are known to take it (RFC 6533, section 6).
    var usesUTF8: Bool { self.options.needsUTF8 }

    /// The whole report.
    mutating func compose() -> [UInt8] {
        let parts = [self.textPart(), self.statusPart(), self.originalPart()]
        let isEightBit = parts.contains { $0.encoding == .eightBit }
        // SMTPUTF8 goes with 8BITMIME (RFC 6531, section 3.1).
        if isEightBit || self.usesUTF8 { self.options.body = .eightBitMIME }
        let boundary = self.boundary
        var out = self.headerFields()
        Self.add("Content-Type: multipart/report; report-type=delivery-status;", to: &out)
        Self.add("\tboundary=\"\(boundary)\"", to: &out)
        if isEightBit { Self.add("Content-Transfer-Encoding: 8bit", to: &out) }
        Self.add("", to: &out)
        Self.add("This is a report on mail, in parts that MIME describes.", to: &out)
        for part in parts {
            Self.add("", to: &out)
            Self.add("--\(boundary)", to: &out)
            part.append(to: &out)
        }
        Self.add("", to: &out)
        Self.add("--\(boundary)--", to: &out)
        return out
    }

    /// Neither quoted-printable text nor a header of ours can hold `=_`, and no sender can know
    /// the token.
    private var boundary: String {
        let digits = String(self.identity.token, radix: 16)
        return "=_\(self.identity.id.text).\(digits)"
    }

    private func headerFields() -> [UInt8] {
        var out: [UInt8] = []
        let hostname = ReportText.printable(self.reporter.hostname, octetsMax: 255)
        Self.addField("From", Array("Mail Delivery System <".utf8) + self.author + [0x3e], to: &out)
        Self.addField("To", [0x3c] + self.addressee + [0x3e], to: &out)
        Self.add("Subject: \(self.subject)", to: &out)
        Self.addField("Date", Self.date(self.identity.now), to: &out)
        Self.addField(
            "Message-ID",
            Array("<\(self.identity.id.text)@".utf8) + hostname + [0x3e],
            to: &out
        )
        if let original = self.originalMessageID {
            Self.addField("In-Reply-To", original, to: &out)
            Self.addField("References", original, to: &out)
        }
        // RFC 3834, section 5.
        Self.add("Auto-Submitted: auto-replied", to: &out)
        Self.add("Precedence: bulk", to: &out)
        Self.add("MIME-Version: 1.0", to: &out)
        return out
    }

    private var subject: String {
        let actions = Set(self.recipients.map(\.action))
        if actions.contains(.failed) { return "Your message could not be delivered" }
        if actions.contains(.delayed) { return "Your message has not been delivered yet" }
        if actions.contains(.relayed) { return "Your message was passed on" }
        return "Your message was delivered"
    }

    /// Who reads answers.
    private var author: [UInt8] {
        let isWritable = self.usesUTF8 || ReportText.isASCII(self.reporter.postmaster)
        return isWritable
            ? ReportText.safe(self.reporter.postmaster, allowsUTF8: true)
            : Array("postmaster@".utf8)
                + ReportText.printable(self.reporter.hostname, octetsMax: 255)
    }

    private var addressee: [UInt8] {
        ReportText.safe(self.message.reversePath, allowsUTF8: self.usesUTF8)
    }

    // MARK: - Lines

    /// Appends a line.
    static func add(_ line: String, to out: inout [UInt8]) {
        out += line.utf8
        out += [.cr, .lf]
    }

    /// Appends a field on one line, or on more when its value is longer than a line may be.
    static func addField(_ name: String, _ value: [UInt8], to out: inout [UInt8]) {
        out += "\(name):".utf8
        var rest = value[...]
        repeat {
            out.append(.space)
            out += rest.prefix(self.wordOctetsMax)
            rest = rest.dropFirst(self.wordOctetsMax)
            out += [.cr, .lf]
        } while !rest.isEmpty
    }

    /// Appends a field whose value is words, folded where it is longer than 78 octets.
    static func addWords(_ name: String, _ words: [UInt8], to out: inout [UInt8]) {
        out += "\(name):".utf8
        self.wrap(words, firstColumn: name.utf8.count + 1, indent: " ", to: &out)
        out += [.cr, .lf]
    }

    /// Appends words, each behind a space, in lines of 78 octets where words are not longer.
    ///
    /// Another line begins with `indent`, and the last one is left open.
    static func wrap(
        _ words: [UInt8],
        firstColumn: Int,
        indent: String,
        to out: inout [UInt8]
    ) {
        var column = firstColumn
        for word in words.split(separator: .space) {
            var rest = word
            while !rest.isEmpty {
                let piece = rest.prefix(self.wordOctetsMax)
                rest = rest.dropFirst(self.wordOctetsMax)
                if column > indent.utf8.count, column + 1 + piece.count > 78 {
                    out += [.cr, .lf]
                    out += indent.utf8
                    column = indent.utf8.count
                    out += piece
                    column += piece.count
                } else {
                    out.append(.space)
                    out += piece
                    column += 1 + piece.count
                }
            }
        }
    }

    /// Well below the 998 octets of a line (RFC 5322, section 2.1.1).
    private static let wordOctetsMax = 900

    static func date(_ secondsSince1970: Int64) -> [UInt8] {
        var buffer = ReplyBuffer(capacity: 32)
        MailDate(secondsSince1970: secondsSince1970).append(to: &buffer)
        return buffer.span.copy()
    }
}
