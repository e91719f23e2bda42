// SPDX-License-Identifier: Apache-2.0
//
// Every text a session can say, against the grammar of RFC 2449, section 3, and RFC 6856.

import Testing

@testable import POP3Protocol

@Suite struct ReplyTests {
    /// All replies of one line in a language, with the longest that may stand around the text.
    private static func texts(in language: POP3Language) -> [String] {
        POP3Reply.allCases.map { $0.text(in: language).description }
            + POP3Verb.allCases.map {
                "\(POP3Reply.syntax.text(in: language)) \($0.syntax)"
            }
    }

    @Test(arguments: POP3Language.allCases)
    func bracketsAreForResponseCodes(language: POP3Language) {
        for text in Self.texts(in: language) {
            #expect(!text.contains("[") && !text.contains("]"), "\(text)")
            #expect(!text.contains("<") && !text.contains(">"), "\(text)")
            #expect(!text.hasPrefix(" ") && !text.hasSuffix(" ") && !text.isEmpty, "\(text)")
        }
    }

    /// RFC 1939, section 3, gives a line 512 octets; the rest is for codes, names and numbers.
    @Test(arguments: POP3Language.allCases)
    func linesAreShort(language: POP3Language) {
        for text in Self.texts(in: language) {
            #expect(text.utf8.count <= 256, "\(text)")
            #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f })
        }
    }

    @Test func englishIsASCII() {
        for text in Self.texts(in: .standard) { #expect(text.utf8.allSatisfy { $0 < 0x80 }) }
    }

    /// RFC 3206: every refusal of credentials says [AUTH], and nothing else does.
    @Test func codesTellWhoseFaultItIs() {
        for reply in POP3Reply.allCases {
            let code = reply.code.description
            #expect(code.isEmpty || reply.isError, "\(reply)")
            let known = ["", "[AUTH] ", "[IN-USE] ", "[LOGIN-DELAY] ", "[SYS/TEMP] "]
            #expect(known.contains(code), "\(reply)")
        }
        let aboutCredentials = POP3Reply.allCases.filter { $0.code.description == "[AUTH] " }
        #expect(
            aboutCredentials == [
                .plaintextRefused, .authenticationFailed, .notUTF8, .loginRefused,
            ]
        )
    }
}
