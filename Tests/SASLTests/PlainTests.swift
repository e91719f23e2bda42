// SPDX-License-Identifier: Apache-2.0

import MailBytes
import SASL
import Testing

@Suite struct PlainTests {
    /// RFC 4616, section 4, first example.
    @Test func publishedExample() {
        var exchange = SASLExchange()
        let response = Base64.encode(Array("\0tim\0tanstaaftanstaaf".utf8))
        #expect(exchange.begin(.plain, initialResponse: response.span) == .ask(.verifyPassword))
        #expect(exchange.identity.copy() == Array("tim".utf8))
        #expect(exchange.password.copy() == Array("tanstaaftanstaaf".utf8))
        #expect(exchange.answer(.accepted) == .succeeded)
        #expect(exchange.identity.copy() == Array("tim".utf8))
        #expect(exchange.password.count == 0)
    }

    @Test func loginAsksTwice() {
        var exchange = SASLExchange()
        #expect(exchange.begin(.login, initialResponse: nil) == .challenge)
        var replies = ReplyBuffer()
        exchange.appendChallenge(to: &replies)
        #expect(replies.span.copy() == Array("VXNlcm5hbWU6".utf8))
        #expect(exchange.receive(Array("dGlt".utf8).span) == .challenge)
        replies.removeAll()
        exchange.appendChallenge(to: &replies)
        #expect(replies.span.copy() == Array("UGFzc3dvcmQ6".utf8))
        #expect(exchange.receive(Array("dGlt".utf8).span) == .ask(.verifyPassword))
        #expect(exchange.answer(.rejected) == .failed(.rejected))
    }
}
