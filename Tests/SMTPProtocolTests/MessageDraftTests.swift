// SPDX-License-Identifier: Apache-2.0

import SMTPProtocol
import Testing

@Suite struct MessageDraftTests {
    private func draft(_ text: String, dotEnds: Bool = false) -> MessageDraft {
        MessageDraft(Array(text.utf8), dotEnds: dotEnds)
    }

    private func text(_ draft: MessageDraft) -> String {
        String(decoding: draft.octets, as: UTF8.self)
    }

    @Test(arguments: [
        ("A: b\n\nx\n", "A: b\r\n\r\nx\r\n"),
        ("A: b\r\n\r\nx", "A: b\r\n\r\nx\r\n"),
        ("A: b\r\rx\r", "A: b\r\n\r\nx\r\n"),
        ("A: b\r\n\nx\r\n\ry\n\r", "A: b\r\n\r\nx\r\n\r\ny\r\n\r\n"),
        ("A: b\n c\n\td\n\nx\n", "A: b\r\n c\r\n\td\r\n\r\nx\r\n"),
        ("From me Mon Jan  1\nA: b\n\nx\n", "A: b\r\n\r\nx\r\n"),
        ("no header here\n", "\r\nno header here\r\n"),
        ("A: b\nno field\n\nx\n", "A: b\r\n\r\nno field\r\n\r\nx\r\n"),
        ("A: b\n", "A: b\r\n\r\n"), ("A : b\n\n", "A : b\r\n\r\n"), (" x\n", "\r\n x\r\n"),
        ("A: b\n\n.\nx\n", "A: b\r\n\r\n.\r\nx\r\n"),
    ])
    func becomesWhatCanBeSent(text: String, expected: String) {
        #expect(self.text(self.draft(text)) == expected)
    }

    @Test func aDotEndsWhereItIsTo() {
        #expect(self.text(self.draft("A: b\n\nx\n.\ny\n", dotEnds: true)) == "A: b\r\n\r\nx\r\n")
        #expect(self.text(self.draft("A: b\n\n..\ny\n", dotEnds: true)).hasSuffix("..\r\ny\r\n"))
    }

    @Test func nothingIsEmpty() {
        #expect(self.draft("").isEmpty)
        #expect(!self.draft("\n").isEmpty)
    }

    @Test(arguments: [
        ("To: a@x, \"B, C\" <b@y>\nCc: root\nbcc: (c) c@z (d)\n\n", ["a@x", "b@y", "root", "c@z"]),
        ("TO: a@x,\n  b@y\n\nTo: no@body\n", ["a@x", "b@y"]),
        ("To: all: a@x, b@y;, undisclosed:;\n\n", ["a@x", "b@y"]),
        ("To: a@x\nResent-To: r@x\nResent-Bcc: s@x\n\n", ["r@x", "s@x"]),
        ("Subject: none\n\n", []),
    ])
    func recipientsAreRead(text: String, expected: [String]) {
        let recipients = self.draft(text).recipients
        #expect(recipients?.map { String(decoding: $0, as: UTF8.self) } == expected)
    }

    @Test(arguments: ["To: a@x <b@y\n\n", "To: \"a@x\n\n", "To: John Doe\n\n", "Cc: a@@x\n\n"])
    func whatCannotBeReadIsSaid(text: String) {
        #expect(self.draft(text).recipients == nil)
    }

    @Test func manyRecipientsAreRead() {
        let many = (0..<5000).map { "user\($0)@example.org" }
        let draft = self.draft("To: \(many.joined(separator: ",\n "))\n\n")
        #expect(draft.recipients?.count == 5000)
    }

    @Test func fieldsComeAndGo() {
        var draft = self.draft("To: a@x\nBcc: b@y,\n c@z\nBCC: d@z\n\nx\n")
        #expect(draft.has("bcc") && !draft.has("date"))
        draft.remove("bcc")
        draft.add("Date: now")
        #expect(self.text(draft) == "Date: now\r\nTo: a@x\r\n\r\nx\r\n")
        #expect(draft.has("date"))
    }

    @Test func eightBitsAreSeen() {
        #expect(!self.draft("A: b\n\nx\n").isEightBit)
        let body = self.draft("A: b\n\n\u{e9}\n")
        #expect(body.isEightBit && !body.needsUTF8)
        let header = self.draft("A: \u{e9}\n\nx\n")
        #expect(header.isEightBit && header.needsUTF8)
        let latin = MessageDraft(Array("A: ".utf8) + [0xe9] + Array("\n\nx\n".utf8))
        #expect(latin.isEightBit && !latin.needsUTF8)
    }

    @Test func theAuthorIsFound() {
        let draft = self.draft("From: Anna <anna@example.org>, b@x\n\n")
        #expect(draft.author == Array("anna@example.org".utf8))
        #expect(self.draft("To: a@x\n\n").author == nil)
    }
}
