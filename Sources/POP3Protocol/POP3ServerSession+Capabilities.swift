// SPDX-License-Identifier: Apache-2.0
//
// CAPA (RFC 2449) and LANG (RFC 6856, section 3).

internal import MailBytes
internal import SASL

extension POP3ServerSession {
    /// Lists what this session can do; the same before and after the login, as RFC 2449 has it, but
    /// not before and after STLS.
    mutating func receiveCAPA(into replies: inout ReplyBuffer) -> Effect {
        self.reply(.capabilitiesFollow, into: &replies)
        replies.append("TOP\r\nUIDL\r\n")
        if self.permitsPasswords { replies.append("USER\r\n") }
        if !self.mechanisms.isEmpty {
            replies.append("SASL")
            self.mechanisms.appendNames(to: &replies)
            replies.appendCRLF()
        }
        if self.settings.offersSTLS, !self.isSecured { replies.append("STLS\r\n") }
        replies.append("RESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n")
        switch self.settings.expiry {
        case .never: replies.append("EXPIRE NEVER\r\n")
        case .days(let days): Self.append("EXPIRE ", days, to: &replies)
        case nil: break
        }
        if let seconds = self.settings.loginDelaySeconds {
            Self.append("LOGIN-DELAY ", seconds, to: &replies)
        }
        replies.append(self.settings.acceptsUTF8Users ? "UTF8 USER\r\n" : "UTF8\r\n")
        replies.append("LANG\r\n")
        if !self.settings.implementation.isEmpty {
            replies.append("IMPLEMENTATION ")
            replies.append(self.settings.implementation)
            replies.appendCRLF()
        }
        replies.append(".\r\n")
        return self.goOn(into: &replies)
    }

    private static func append(
        _ keyword: StaticString,
        _ number: Int,
        to replies: inout ReplyBuffer
    ) {
        replies.append(keyword)
        replies.append(decimal: number)
        replies.appendCRLF()
    }

    /// Lists the languages, or changes to the one that matches `range` best.
    mutating func receiveLANG(
        _ range: ByteRange,
        of octets: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard !range.isEmpty else { return self.listLanguages(into: &replies) }
        guard let language = self.language(for: range, of: octets) else {
            return self.refuse(.languageUnknown, into: &replies)
        }
        self.language = language
        self.lastReplyWasError = false
        replies.append("+OK ")
        replies.append(language.tag)
        replies.append(.space)
        replies.append(POP3Reply.languageSelected.text(in: language))
        replies.appendCRLF()
        return self.goOn(into: &replies)
    }

    private mutating func listLanguages(into replies: inout ReplyBuffer) -> Effect {
        self.reply(.languagesFollow, into: &replies)
        for language in POP3Language.all {
            replies.append(language.tag)
            replies.append(.space)
            replies.append(language.name)
            replies.appendCRLF()
        }
        replies.append(".\r\n")
        return self.goOn(into: &replies)
    }

    /// Look-up of RFC 4647, section 3.4: `de-AT` finds `de`.
    private func language(
        for range: ByteRange,
        of octets: borrowing Span<UInt8>
    ) -> POP3Language? {
        if octets.matches("*", in: range) { return self.settings.preferredLanguage }
        var end = range.upperBound
        while end > range.lowerBound {
            let candidate = ByteRange(range.lowerBound, end)
            for language in POP3Language.all where octets.matches(language.tag, in: candidate) {
                return language
            }
            repeat { end -= 1 } while end > range.lowerBound && octets[end] != UInt8(ascii: "-")
        }
        return nil
    }
}
