// SPDX-License-Identifier: Apache-2.0
//
// What no mechanism takes: text that is not the base64 of anything, and messages that the grammars
// of the mechanisms do not have.

import MailBytes
import SASL
import Testing
import TranscriptSupport

@Suite struct MalformedTests {
    /// What comes of a line, given as an initial response and as an answer to the empty challenge.
    private func outcome(of line: [UInt8], to mechanism: SASLMechanism) -> SASLExchange.Effect {
        var exchange = SASLExchange()
        #expect(exchange.begin(mechanism, initialResponse: nil) == .challenge)
        let effect = exchange.receive(line.span)
        var other = SASLExchange()
        #expect(other.begin(mechanism, initialResponse: line.span) == effect)
        return effect
    }

    @Test(arguments: [
        " AHRpbQB4", "AHRpbQB4 ", "AHRp bQB4", "AHRpbQB4\r", "AHRpbQB4\n", "AHRpbQB4\t",
        "AHRpbQB", "AHRpbQ", "AHRpb", "AHRpbQ=", "AHRpbQ==AHRp", "AHRpbQB4=", "AHRpbQB4====",
        "AHRp-_B4", "AHRpbQB4\\x00", "\\x00", "AHRpbR==", "A===", "====", "==", "(", "\\xc3\\xa9",
    ])
    func textsThatAreNoBase64(text: String) {
        for mechanism in [SASLMechanism.plain, .scramSHA256, .external, .oauthBearer, .xoauth2] {
            #expect(self.outcome(of: unescaped(text), to: mechanism) == .failed(.malformed))
        }
    }

    /// `=` is an empty message only as an initial response.
    @Test func equalsSignIsNoAnswer() {
        var exchange = SASLExchange()
        #expect(exchange.begin(.external, initialResponse: nil) == .challenge)
        #expect(exchange.receive(Array("=".utf8).span) == .failed(.malformed))
        let equals = Array("=".utf8)
        let effect = exchange.begin(.external, initialResponse: equals.span)
        #expect(effect == .ask(.verifyCertificate))
        #expect(exchange.answer(.rejected) == .failed(.rejected))
        #expect(exchange.begin(.plain, initialResponse: equals.span) == .failed(.malformed))
        #expect(exchange.begin(.login, initialResponse: equals.span) == .failed(.malformed))
        #expect(exchange.begin(.scramSHA1, initialResponse: equals.span) == .failed(.malformed))
        // An initial response without any octets is an empty message as well.
        let none: [UInt8] = []
        let other = exchange.begin(.external, initialResponse: none.span)
        #expect(other == .ask(.verifyCertificate))
    }

    @Test(arguments: [
        (SASLMechanism.plain, "tim"), (.plain, "\\0tim"), (.plain, "\\0tim\\0"),
        (.plain, "\\0\\0secret"), (.plain, "\\0\\0"), (.plain, "\\0tim\\0sec\\0ret"),
        (.plain, "\\0tim\\0secret\\0"),

        (.external, "t\\0m"),

        // GS2 headers.
        (.scramSHA256, ""), (.scramSHA256, "n"), (.scramSHA256, "n,"), (.scramSHA256, ",,n=u,r=x"),
        (.scramSHA256, "n,n=u,r=x"), (.scramSHA256, "x,,n=u,r=x"), (.scramSHA256, "N,,n=u,r=x"),
        (.scramSHA256, "nn,,n=u,r=x"), (.scramSHA256, "n=,,n=u,r=x"),
        (.scramSHA256, "n, ,n=u,r=x"),
        (.scramSHA256, "n,a,n=u,r=x"), (.scramSHA256, "n,u,n=u,r=x"),
        (.scramSHA256, "n,A=u,n=u,r=x"), (.scramSHA256, "n,a=u=,n=u,r=x"),
        (.scramSHA256, "F,n,,n=u,r=x"), (.scramSHA256, "p,,n=u,r=x"),
        (.scramSHA256Plus, "p=,,n=u,r=x"), (.scramSHA256Plus, "p,,n=u,r=x"),
        (.scramSHA256Plus, "p=tls exporter,,n=u,r=x"), (.scramSHA256Plus, "p=tls-exporte,,n=u,r=x"),
        (.scramSHA256Plus, "p=tls-exporterr,,n=u,r=x"),

        // First messages: attributes missing, doubled, in another order, or in capitals.
        (.scramSHA256, "n,,"), (.scramSHA256, "n,,n=u"), (.scramSHA256, "n,,r=x"),
        (.scramSHA256, "n,,n=u="),
        (.scramSHA256, "n,,n=u=2"), (.scramSHA256, "n,,n=u=2C"), (.scramSHA256, "n,,n"),
        (.scramSHA256, "n,,n=u,"), (.scramSHA256, "n,,r=x,n=u"), (.scramSHA256, "n,,n=u,n=u,r=x"),
        (.scramSHA256, "n,,N=u,r=x"), (.scramSHA256, "n,,n=u,R=x"), (.scramSHA256, "n,,n=u,,r=x"),
        (.scramSHA256, "n,,n=u,z=1,r=x"), (.scramSHA256, "n,,n=u,r=x,"),
        (.scramSHA256, "n,,n=u,r=x,z"), (.scramSHA256, "n,,n=u,r=x,z="),
        (.scramSHA256, "n,,n=u,r=x,=1"), (.scramSHA256, "n,,n=u,r=x,1=1"),
        (.scramSHA256, "n,,n=u,r=x,z=1,,y=1"), (.scramSHA256, "n,,n=u,r=x,z=\\0"),
        (.scramSHA256, "n,,m=x,n=u,r=x"), (.scramSHA256, " n,,n=u,r=x"),

        // Names and nonces.
        (.scramSHA256, "n,,n=,r=x"), (.scramSHA256, "n,,n=u=,r=x"), (.scramSHA256, "n,,n=u=2,r=x"),
        (.scramSHA256, "n,,n=u=2c,r=x"), (.scramSHA256, "n,,n=u=3d,r=x"),
        (.scramSHA256, "n,,n=u=3E,r=x"), (.scramSHA256, "n,,n==,r=x"),
        (.scramSHA256, "n,,n=\\0,r=x"),
        (.scramSHA256, "n,,n=u,r="), (.scramSHA256, "n,,n=u,r=x y"),
        (.scramSHA256, "n,,n=u,r=\\x7f"),
        (.scramSHA256, "n,,n=u,r=\\xc3\\xa9"), (.scramSHA256, "n,,n=u,r=\\0"),

        // Tokens.
        (.oauthBearer, ""), (.oauthBearer, "\\x01"), (.oauthBearer, "n,,"),
        (.oauthBearer, "n,,auth=Bearer x\\x01\\x01"), (.oauthBearer, "n,,\\x01\\x01"),
        (.oauthBearer, "n,,\\x01"), (.oauthBearer, "n,,\\x01auth=Bearer x\\x01"),
        (.oauthBearer, "n,,\\x01auth=Bearer x"), (.oauthBearer, "n,,\\x01host=h\\x01\\x01"),
        (.oauthBearer, "n,,\\x01auth=Bearer x\\x01\\x01\\x01"),
        (.oauthBearer, "n,,\\x01auth=Bearer x\\x01\\x01more"),
        (.oauthBearer, "n,,\\x01auth=Bearer x\\x01auth=Bearer y\\x01\\x01"),
        (.oauthBearer, "n,,\\x01auth=Bearer \\x01\\x01"),
        (.oauthBearer, "n,,\\x01auth=Bearer\\x01\\x01"),
        (.oauthBearer, "n,,\\x01auth=Basic x\\x01\\x01"),
        (.oauthBearer, "n,,\\x01auth=x\\x01\\x01"),
        (.oauthBearer, "n,,\\x01auth=Bearer x y\\x01\\x01"),
        (.oauthBearer, "n,,\\x01auth=Bearer x=y\\x01\\x01"),
        (.oauthBearer, "n,,\\x01auth=Bearer ==\\x01\\x01"),
        (.oauthBearer, "n,,\\x01auth=Bearer x\\r\\n\\x01\\x01"),
        (.oauthBearer, "n,,\\x01auth=Bearer x\\0\\x01\\x01"),
        (.oauthBearer, "n,,\\x01=x\\x01auth=Bearer x\\x01\\x01"),
        (.oauthBearer, "n,,\\x01host\\x01auth=Bearer x\\x01\\x01"),
        (.oauthBearer, "n,,\\x01h1=x\\x01auth=Bearer x\\x01\\x01"),
        (.oauthBearer, "p=tls-exporter,,\\x01auth=Bearer x\\x01\\x01"),
        (.oauthBearer, "n,a=u=2c,\\x01auth=Bearer x\\x01\\x01"),
        (.oauthBearer, "user=u\\x01auth=Bearer x\\x01\\x01"),
        (.xoauth2, ""), (.xoauth2, "\\x01\\x01"), (.xoauth2, "user=u"),
        (.xoauth2, "user=u\\x01auth=Bearer x"), (.xoauth2, "user=u\\x01\\x01"),
        (.xoauth2, "user=u\\x01auth=Bearer x\\x01\\x01x"),
        (.xoauth2, "user=\\0\\x01auth=Bearer x\\x01\\x01"),
    ])
    func firstMessages(mechanism: SASLMechanism, message: String) {
        let line = Base64.encode(unescaped(message))
        #expect(self.outcome(of: line, to: mechanism) == .failed(.malformed))
    }

    /// RFC 5802, section 7, client-final-message; the nonce is "xy" and the header "n,,".
    @Test(arguments: [
        ("", SASLFailure.malformed), ("c=biws", .malformed), ("c=biws,r=xy", .malformed),
        ("r=xy,p=P", .malformed), ("c=biws,p=P", .malformed), ("r=xy,c=biws,p=P", .malformed),
        ("p=P,c=biws,r=xy", .malformed), ("c=biws,r=xy,p=P,", .malformed),
        ("c=biws,r=xy,p=P,z=1", .malformed), ("c=biws,r=xy,p=P,p=P", .malformed),
        ("c=biws,r=xy,,p=P", .malformed), ("c=biws,r=xy,z,p=P", .malformed),
        ("c=biws,r=xy,1=2,p=P", .malformed), ("C=biws,r=xy,p=P", .malformed),
        ("c=biws,r=xy,P=P", .malformed), ("c=biws,r=xy,p=", .malformed),
        ("c=biws,r=xy,p=AAAA", .malformed), ("c=biws,r=xy,p=!", .malformed),
        ("c=biws,r=xy,p=PP", .malformed), ("c=,r=xy,p=P", .rejected),
        ("c=biw,r=xy,p=P", .malformed),
        ("c=biws\\n,r=xy,p=P", .malformed), ("m=x,c=biws,r=xy,p=P", .malformed),
        // Well-formed, and not what was agreed.
        ("c=eSws,r=xy,p=P", .rejected), ("c=biwsAA==,r=xy,p=P", .rejected),
        ("c=bixhPXUs,r=xy,p=P", .rejected), ("c=biws,r=x,p=P", .rejected),
        ("c=biws,r=y,p=P", .rejected), ("c=biws,r=,p=P", .rejected),
        ("c=biws,r=xyz,p=P", .rejected),
        ("c=biws,r=XY,p=P", .rejected), ("c=biws,r=yx,p=P", .rejected),
    ])
    func finalMessages(message: String, failure: SASLFailure) {
        let proof = String(repeating: "A", count: 43) + "="
        let text = message.replacing("PP", with: proof + proof).replacing("=P", with: "=\(proof)")
        #expect(self.outcome(ofFinal: unescaped(text)) == .failed(failure))
        // The exchange is otherwise as it should be.
        let right = Array("c=biws,r=xy,p=\(proof)".utf8)
        #expect(self.outcome(ofFinal: right) == .ask(.verifySCRAMProof(.sha256)))
    }

    private func outcome(ofFinal message: [UInt8]) -> SASLExchange.Effect {
        var exchange = SASLExchange()
        let first = Base64.encode(Array("n,,n=u,r=x".utf8))
        _ = exchange.begin(.scramSHA256, initialResponse: first.span)
        let salt: [UInt8] = [1]
        let nonce = Array("y".utf8)
        let none: [UInt8] = []
        let effect = exchange.answer(
            .scramKeys(
                salt: salt.span,
                iterations: 1,
                nonce: nonce.span,
                channelBinding: none.span
            )
        )
        #expect(effect == .challenge)
        let line = Base64.encode(message)
        return exchange.receive(line.span)
    }

    /// RFC 2195, section 2: a name, a space and 32 digits.
    @Test(arguments: [
        "", "tim", "tim ", "b913a602c7eda7a495b4e6e7334d3890", " b913a602c7eda7a495b4e6e7334d3890",
        "tim b913a602c7eda7a495b4e6e7334d389", "tim b913a602c7eda7a495b4e6e7334d38901",
        "tim b913a602c7eda7a495b4e6e7334d389g", "tim  b913a602c7eda7a495b4e6e7334d389",
        "tim\\tb913a602c7eda7a495b4e6e7334d3890", "t\\0m b913a602c7eda7a495b4e6e7334d3890",
    ])
    func digests(message: String) {
        var exchange = SASLExchange()
        #expect(exchange.begin(.cramMD5, initialResponse: nil) == .ask(.makeChallenge))
        let challenge = Array("<1@x>".utf8)
        #expect(exchange.answer(.challenge(challenge.span)) == .challenge)
        let line = Base64.encode(unescaped(message))
        #expect(exchange.receive(line.span) == .failed(.malformed))
    }
}
