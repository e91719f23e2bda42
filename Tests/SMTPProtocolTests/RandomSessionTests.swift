// SPDX-License-Identifier: Apache-2.0
//
// Conversations made of whatever comes to mind, cut anywhere: none traps, none loops, and how they
// are cut changes nothing.

import MailBytes
import SASL
import SMTPProtocol
import Testing

@Suite struct RandomSessionTests {
    private static let words = [
        "EHLO c\r\n", "LHLO c\r\n", "HELO c\r\n", "MAIL FROM:<a@b>\r\n", "MAIL FROM:<> SIZE=5\r\n",
        "MAIL FROM:<a@b> SIZE=9999\r\n", "RCPT TO:<c@d>\r\n", "RCPT TO:<c@d>\r\n", "DATA\r\n",
        "DATA\r\n", "BDAT 5\r\n", "BDAT 5 LAST\r\n", "BDAT 0\r\n", "BDAT 0 LAST\r\n",
        "BDAT 900\r\n", "RSET\r\n", "NOOP\r\n", "VRFY c\r\n", "EXPN c\r\n", "HELP\r\n", "x\r\n",
        "12345", "x\r\n.\r\n", ".\r\n", "..\r\n", "\r\n", "\n", "\r", "\0", "Received: x\r\n",
        "STARTTLS\r\n", "STARTTLS\r\n", "STARTTLS x\r\n", "AUTH PLAIN AGEAYQ==\r\n",
        "AUTH PLAIN\r\n", "AUTH LOGIN\r\n", "AGEAYQ==\r\n", "*\r\n", "AUTH CRAM-MD5\r\n",
        "AUTH SCRAM-SHA-256 biwsbj1hLHI9Yg==\r\n", "AUTH X\r\n", "AUTH EXTERNAL =\r\n",
        "dCAwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==\r\n", "XCLIENT ADDR=192.0.2.1\r\n",
        "XCLIENT LOGIN=t PORT=7\r\n", "XCLIENT\r\n", "From: a@b\r\n", "From: a\r\n", "Fr", "om",
        "Date: x\r\n", " folded\r\n", "From: <a@b> c\r\n", "From: \r\n",
        "a longer line of text that is content if it is anything at all\r\n", "QUIT\r\n",
        "ETRN c\r\n", "ETRN @c\r\n", "ETRN #c\r\n", "ATRN\r\n", "ATRN c,d\r\n", "ATRN ,\r\n",
        "MAIL FROM:<a@b> RET=FULL ENVID=a+2Bb REQUIRETLS\r\n",
        "RCPT TO:<c@d> NOTIFY=DELAY ORCPT=rfc822;c@d\r\n", "RCPT TO:<c@d> NOTIFY=x\r\n",
    ]

    /// What leads somewhere, more often than words by chance do.
    private static let phrases = [
        "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n",
        "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\n",
        "MAIL FROM:<>\r\nRCPT TO:<c@d>\r\nBDAT 11\r\nFrom: a@b\r\n",
        "From: a@b\r\n\r\nbody\r\n.\r\n", "no header\r\n.\r\n", "Date: x\r\nFrom: x\r\n\r\n.\r\n",
        "AUTH LOGIN\r\nAGEA\r\nAGEA\r\n", "AUTH PLAIN\r\nAGEAYQ==\r\n",
        "AUTH CRAM-MD5\r\ndCAwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==\r\n",
        "RSET\r\nXCLIENT ADDR=IPV6:::1\r\nEHLO c\r\nLHLO c\r\n", "RSET\r\nSTARTTLS\r\nNOOP\r\n",
    ]

    /// Holds a conversation of flights: after STARTTLS the rest of a flight is dropped, and the
    /// next one comes inside TLS.
    private func converse(
        _ flights: [[UInt8]],
        _ settings: SMTPServerSettings,
        segments: [Int]
    ) -> NumberedDriver.Record {
        var driver = NumberedDriver(settings)
        var wire = Flights(flights, segments)
        var buffered: [UInt8] = []
        var step = driver.greet()
        while true {
            buffered.removeFirst(step.consumed)
            switch step.effect {
            case .close, .turnAround:
                return driver.end(isClosed: true)
            case .startTLS:
                buffered = []
                guard wire.dropFlight() else { return driver.end(isClosed: false) }
                step = driver.secure()
                continue
            case .awaitInput:
                guard let octets = wire.next() else { return driver.end(isClosed: false) }
                buffered += octets
            default:
                break
            }
            step = driver.receive(buffered)
            if driver.record.isUnbounded { return driver.end(isClosed: false) }
        }
    }

    @Test(arguments: 0..<1500 as Range<UInt64>)
    func anyConversation(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let isSubmission = seed % 4 == 1
        let settings = SMTPServerSettings(
            hostname: Array("mail.example".utf8),
            dialect: seed % 3 == 0 ? .lmtp : .smtp,
            lineEndings: seed % 2 == 0 ? .refuse : .normalise,
            messageOctetsMax: 200,
            commandOctetsMax: 512,
            errorsMax: 50,
            loginFailuresMax: 20,
            receivedFieldsMax: 3,
            answersVRFY: seed % 5 == 0,
            answersEXPN: true,
            offersSTARTTLS: true,
            mechanisms: .all,
            permitsPlaintextAuth: seed % 8 < 4,
            requiresAuthentication: seed % 16 == 1,
            purpose: isSubmission ? .submission : seed % 8 == 2 ? .fetching : .relaying,
            offersETRN: seed % 2 == 0,
            checksAuthors: seed % 8 < 2,
            addsMissingFields: true,
            acceptsXCLIENTLogin: seed % 2 == 0
        )
        let flights = (0..<3).map { _ in
            var text = seed % 3 == 0 ? "LHLO c\r\n" : "EHLO c\r\n"
            for _ in 0..<Int.random(in: 1...30, using: &random) {
                let choices = Bool.random(using: &random) ? Self.words : Self.phrases
                text += choices[Int.random(in: 0..<choices.count, using: &random)]
            }
            return Array(text.utf8)
        }
        let whole = self.converse(flights, settings, segments: [100_000])
        #expect(!whole.isUnbounded, "seed \(seed)")
        let segments = (0..<5).map { _ in Int.random(in: 1...40, using: &random) }
        #expect(self.converse(flights, settings, segments: segments) == whole, "seed \(seed)")
        #expect(self.converse(flights, settings, segments: [1]) == whole, "seed \(seed)")
    }
}

/// What a client sends, in segments; STARTTLS ends a flight of it.
private struct Flights {
    private var flights: ArraySlice<[UInt8]>
    private var rest: ArraySlice<UInt8> = []
    private let segments: [Int]
    private var segment = 0

    init(_ flights: [[UInt8]], _ segments: [Int]) {
        self.flights = flights[...]
        self.segments = segments
    }

    mutating func next() -> ArraySlice<UInt8>? {
        if self.rest.isEmpty {
            guard let flight = self.flights.popFirst() else { return nil }
            self.rest = flight[...]
        }
        let octets = self.rest.prefix(self.segments[self.segment % self.segments.count])
        self.rest = self.rest.dropFirst(octets.count)
        self.segment += 1
        return octets
    }

    /// False when there is no other flight.
    mutating func dropFlight() -> Bool {
        self.rest = []
        return !self.flights.isEmpty
    }
}
