// SPDX-License-Identifier: Apache-2.0
//
// Message ids: the text and back, its order, and what is no text of one.

import MailSyntax
import Testing

@Suite struct MessageIDTests {
    @Test(arguments: [
        (UInt64(0), "0000000000000"),
        (1, "0000000000001"),
        (31, "000000000000Z"),
        (32, "0000000000010"),
        (0x1234_5678_9abc_def0, "14D2PF2DBSQQG"),
        (1 << 63, "8000000000000"),
        (.max, "FZZZZZZZZZZZZ"),
    ])
    func numberAndText(number: UInt64, text: String) {
        let id = MessageID(rawValue: number)
        #expect(id.text == text)
        #expect(MessageID(text: text) == id)
    }

    @Test func textKeepsTheOrder() {
        var numbers: [UInt64] = []
        for shift in 0..<64 {
            numbers += [(1 << UInt64(shift)) - 1, 1 << UInt64(shift), (1 << UInt64(shift)) + 1]
        }
        let ids = Set(numbers).sorted().map(MessageID.init(rawValue:))
        #expect(ids.map(\.text) == ids.map(\.text).sorted())
        for id in ids { #expect(MessageID(text: id.text) == id) }
    }

    @Test(arguments: [
        "", "0", "000000000000", "00000000000000", "G000000000000", "ZZZZZZZZZZZZZ",
        "000000000000I", "000000000000L", "000000000000O", "000000000000U", "000000000000a",
        "-000000000001", "0000000000 01", "00000000000\u{e9}",
    ])
    func whatIsNoID(text: String) {
        #expect(MessageID(text: text) == nil)
    }
}
