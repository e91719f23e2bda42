// SPDX-License-Identifier: Apache-2.0
//
// Paths of RFC 5321, section 4.1.2, one line a case: what is read, or why it is not.

import MailBytes
import MailSyntax
import Testing

/// A path as a client writes it, and what becomes of it.
struct PathFixture: Sendable, CustomTestStringConvertible {
    enum Outcome: Equatable, Sendable {
        case null
        /// Local-part and domain as written, and what is left of the line.
        case path(String, String, rest: String = "")
        case failure(MailPath.Failure)
    }

    let written: [UInt8]
    let outcome: Outcome
    let utf8: Bool
    let bare: Bool

    init(_ written: String, _ outcome: Outcome, utf8: Bool = false, bare: Bool = false) {
        self.init(octets: Array(written.utf8), outcome, utf8: utf8, bare: bare)
    }

    init(octets: [UInt8], _ outcome: Outcome, utf8: Bool = false, bare: Bool = false) {
        self.written = octets
        self.outcome = outcome
        self.utf8 = utf8
        self.bare = bare
    }

    static func success(_ local: String, _ domain: String = "x", utf8: Bool = false) -> PathFixture
    {
        PathFixture("<\(local)@\(domain)>", .path(local, domain), utf8: utf8)
    }

    static func failure(_ inner: String, utf8: Bool = false) -> PathFixture {
        PathFixture("<\(inner)>", .failure(.syntax), utf8: utf8)
    }

    var testDescription: String {
        String(decoding: self.written, as: UTF8.self) + (self.utf8 ? " SMTPUTF8" : "")
    }
}

private func letters(_ count: Int, _ letter: Character = "a") -> String {
    String(repeating: letter, count: count)
}

/// A domain of labels of at most 63 letters with `count` octets in all.
private func domainName(_ count: Int) -> String {
    String((0..<count).map { $0 % 51 == 50 && $0 < count - 1 ? "." : "d" })
}

@Suite struct MailPathTests {
    static let localParts: [PathFixture] = [
        .success("a"),
        .success("john.q.public"),
        .success("Postmaster"),
        .success("!#$%&'*+-/=?^_`{|}~"),
        .success("0"),
        .success("user+detail"),
        .success("-a"),
        .success("a.b.c.d.e"),
        .success("\"\""),
        .success("\" \""),
        .success("\"a b\""),
        .success("\"a@b\""),
        .success("\"a>b\""),
        .success("\"a\\\"b\""),
        .success("\"\\\\\""),
        .success("\"\\a\""),
        .success("\"..\""),
        .success("\"(comment),:;<>@[]\""),
        .success(letters(64)),
        .success("\"" + letters(64) + "\""),
        .failure("@x"),
        .failure(".a@x"),
        .failure("a.@x"),
        .failure("a..b@x"),
        .failure(".@x"),
        .failure("a b@x"),
        .failure(" a@x"),
        .failure("a @x"),
        .failure("a,b@x"),
        .failure("a:b@x"),
        .failure("a;b@x"),
        .failure("a(b)@x"),
        .failure("a<b@x"),
        .failure("a[b]@x"),
        .failure("a\\b@x"),
        .failure("a\"b\"@x"),
        .failure("\"a\"b@x"),
        .failure("\"a\".b@x"),
        .failure("a.\"b\"@x"),
        .failure("\"a@x"),
        .failure("\"a\\\"@x"),
        .failure("\"a\\"),
        .failure("\"a\\\u{1}\"@x"),
        .failure("\"a\nb\"@x"),
        .failure("\"a\rb\"@x"),
        .failure("\"a\0b\"@x"),
        .failure("\"a\tb\"@x"),
        .failure("\"a\u{7f}\"@x"),
        .failure("a\0@x"),
        .failure("a\u{7f}@x"),
        PathFixture("<\(letters(65))@x>", .failure(.tooLong)),
        PathFixture("<\"\(letters(65))\"@x>", .failure(.tooLong)),
    ]

    static let domains: [PathFixture] = [
        .success("a", "x"),
        .success("a", "EXAMPLE.Org"),
        .success("a", "a.b.c.d.e.f"),
        .success("a", "1.example"),
        .success("a", "3com.example"),
        .success("a", "a-b.example"),
        .success("a", "a--b.example"),
        .success("a", "xn--bcher-kva.example"),
        .success("a", "my_host.example"),
        .success("a", "_dmarc.example"),
        .success("a", letters(63)),
        .success("a", domainName(255)),
        .failure("a@"),
        .failure("a@."),
        .failure("a@.x"),
        .failure("a@x."),
        .failure("a@x..y"),
        .failure("a@-x"),
        .failure("a@x-"),
        .failure("a@x-.y"),
        .failure("a@x.-y"),
        .failure("a@x y"),
        .failure("a@x@y"),
        .failure("a@x/y"),
        .failure("a@x\0"),
        .failure("a@" + letters(64)),
        .failure("a@" + letters(64) + ".x"),
        PathFixture("<a@\(domainName(256))>", .failure(.tooLong)),
    ]

    static let literals: [PathFixture] = [
        .success("a", "[127.0.0.1]"),
        .success("a", "[0.0.0.0]"),
        .success("a", "[255.255.255.255]"),
        .success("a", "[010.001.000.009]"),
        .success("a", "[IPv6:::]"),
        .success("a", "[IPv6:::1]"),
        .success("a", "[IPV6:2001:DB8::1]"),
        .success("a", "[ipv6:1:2:3:4:5:6:7:8]"),
        .success("a", "[IPv6:1::]"),
        .success("a", "[IPv6:1:2:3:4:5:6:7::]"),
        .success("a", "[IPv6:::2:3:4:5:6:7:8]"),
        .success("a", "[IPv6:::ffff:192.0.2.1]"),
        .success("a", "[IPv6:1:2:3:4:5:6:192.0.2.1]"),
        .success("a", "[X-Own:anything.@<>goes!]"),
        .failure("a@[]"),
        .failure("a@[127.0.0.1"),
        .failure("a@127.0.0.1]"),
        .failure("a@[127.0.0.1]x"),
        .failure("a@[127.0.0.1] "),
        .failure("a@[127.0.0]"),
        .failure("a@[127.0.0.]"),
        .failure("a@[127.0.0.1.]"),
        .failure("a@[127.0.0.1.2]"),
        .failure("a@[127..0.1]"),
        .failure("a@[127.0.0.256]"),
        .failure("a@[127.0.0.0001]"),
        .failure("a@[127.0.0.-1]"),
        .failure("a@[127.0.0.a]"),
        .failure("a@[ 127.0.0.1]"),
        .failure("a@[example.org]"),
        .failure("a@[::1]"),
        .failure("a@[IPv6:]"),
        .failure("a@[IPv6::]"),
        .failure("a@[IPv6::1]"),
        .failure("a@[IPv6:1:]"),
        .failure("a@[IPv6:1:2:3:4:5:6:7]"),
        .failure("a@[IPv6:1:2:3:4:5:6:7:]"),
        .failure("a@[IPv6:1:2:3:4:5:6:7:8:9]"),
        .failure("a@[IPv6:1:2:3:4::5:6:7:8]"),
        .failure("a@[IPv6:1::2::3]"),
        .failure("a@[IPv6:1:::2]"),
        .failure("a@[IPv6::::]"),
        .failure("a@[IPv6:12345::]"),
        .failure("a@[IPv6:g::]"),
        .failure("a@[IPv6:::1%eth0]"),
        .failure("a@[IPv6:1:2:3:4:5:6:7:192.0.2.1]"),
        .failure("a@[IPv6:192.0.2.1]"),
        .failure("a@[IPv6:::192.0.2]"),
        .failure("a@[IPv6:::192.0.2.1:1]"),
        .failure("a@[:x]"),
        .failure("a@[tag:]"),
        .failure("a@[tag-:x]"),
        .failure("a@[t_g:x]"),
        .failure("a@[tag:a[b]"),
        .failure("a@[tag:a\\b]"),
        .failure("a@[tag:a b]"),
        PathFixture("<a@[tag:\(letters(249))]>", .path("a", "[tag:\(letters(249))]")),
        PathFixture("<a@[tag:\(letters(250))]>", .failure(.tooLong)),
    ]

    static let paths: [PathFixture] = [
        PathFixture("<>", .null),
        PathFixture("<a@x> SIZE=1", .path("a", "x", rest: " SIZE=1")),
        PathFixture("<a@x>>", .path("a", "x", rest: ">")),
        PathFixture("<@r:a@x>", .path("a", "x")),
        PathFixture("<@r,@s.t:a@x>", .path("a", "x")),
        PathFixture("<postmaster>", .path("postmaster", ""), bare: true),
        PathFixture("<\"post master\"> X", .path("\"post master\"", "", rest: " X"), bare: true),
        PathFixture("<a@x>", .path("a", "x"), bare: true),
        PathFixture("<postmaster>", .failure(.syntax)),
        PathFixture("<@r:postmaster>", .failure(.syntax), bare: true),
        PathFixture("<a@>", .failure(.syntax), bare: true),
        PathFixture("", .failure(.syntax)),
        PathFixture("<", .failure(.syntax)),
        PathFixture("< >", .failure(.syntax)),
        PathFixture("<a@x", .failure(.syntax)),
        PathFixture("a@x", .failure(.syntax)),
        PathFixture("a@x>", .failure(.syntax)),
        PathFixture("<<a@x>>", .failure(.syntax)),
        PathFixture(" <a@x>", .failure(.syntax)),
        PathFixture("<a@x >", .failure(.syntax)),
        PathFixture("<@r>", .failure(.syntax)),
        PathFixture("<@r:>", .failure(.syntax)),
        PathFixture("<@r,:a@x>", .failure(.syntax)),
        PathFixture("<@r,s:a@x>", .failure(.syntax)),
        PathFixture("<@r @s:a@x>", .failure(.syntax)),
        PathFixture("<@:a@x>", .failure(.syntax)),
        PathFixture("<@[127.0.0.1]:a@x>", .failure(.syntax)),
        PathFixture(
            "<@\(domainName(255)),@\(domainName(255)),@\(domainName(255)):a@\(domainName(249))>",
            .path("a", domainName(249))
        ),
        PathFixture(
            "<@\(domainName(255)),@\(domainName(255)),@\(domainName(255)):a@\(domainName(250))>",
            .failure(.tooLong)
        ),
    ]

    static let internationalised: [PathFixture] = [
        .success("jos\u{e9}", "x", utf8: true),
        .success("\u{7528}\u{6237}", "\u{4f8b}\u{5b50}.\u{5e7f}\u{544a}", utf8: true),
        .success("a", "b\u{fc}cher.example", utf8: true),
        .success("\"a \u{e9}\"", "x", utf8: true),
        .success("\u{1f980}", "x", utf8: true),
        .success(letters(32, "\u{e9}"), "x", utf8: true),
        // A U-label of 90 octets whose A-label fits in 63.
        .success("a", letters(30, "\u{4e00}"), utf8: true),
        .failure("\u{e9}..a@x", utf8: true),
        .failure("a@\u{e9}.", utf8: true),
        .failure("\"\\\u{e9}\"@x", utf8: true),
        .failure("a@" + letters(64, "\u{e9}"), utf8: true),
        PathFixture("<\(letters(33, "\u{e9}"))@x>", .failure(.tooLong), utf8: true),
        PathFixture("<jos\u{e9}@x>", .failure(.needsUTF8)),
        PathFixture("<\"jos\u{e9}\"@x>", .failure(.needsUTF8)),
        PathFixture("<a@b\u{fc}cher.example>", .failure(.needsUTF8)),
        // Latin-1, a lone continuation, overlong forms, a surrogate, beyond the last character.
        PathFixture(
            octets: Array("<jos".utf8) + [0xe9, 0x40, 0x78, 0x3e],
            .failure(.needsUTF8),
            utf8: true
        ),
        PathFixture(octets: [0x3c, 0x80, 0x40, 0x78, 0x3e], .failure(.needsUTF8), utf8: true),
        PathFixture(
            octets: [0x3c, 0xc0, 0x80, 0x40, 0x78, 0x3e],
            .failure(.needsUTF8),
            utf8: true
        ),
        PathFixture(
            octets: [0x3c, 0xc1, 0xbf, 0x40, 0x78, 0x3e],
            .failure(.needsUTF8),
            utf8: true
        ),
        PathFixture(
            octets: [0x3c, 0xe0, 0x9f, 0xbf, 0x40, 0x78, 0x3e],
            .failure(.needsUTF8),
            utf8: true
        ),
        PathFixture(
            octets: [0x3c, 0xf0, 0x8f, 0xbf, 0xbf, 0x40, 0x78, 0x3e],
            .failure(.needsUTF8),
            utf8: true
        ),
        PathFixture(
            octets: [0x3c, 0xed, 0xa0, 0x80, 0x40, 0x78, 0x3e],
            .failure(.needsUTF8),
            utf8: true
        ),
        PathFixture(
            octets: [0x3c, 0xf4, 0x90, 0x80, 0x80, 0x40, 0x78, 0x3e],
            .failure(.needsUTF8),
            utf8: true
        ),
        PathFixture(
            octets: [0x3c, 0xf5, 0x80, 0x80, 0x80, 0x40, 0x78, 0x3e],
            .failure(.needsUTF8),
            utf8: true
        ),
        PathFixture(octets: [0x3c, 0xe4, 0xb8], .failure(.needsUTF8), utf8: true),
        PathFixture(
            octets: [0x3c, 0xe4, 0xb8, 0x40, 0x78, 0x3e],
            .failure(.needsUTF8),
            utf8: true
        ),
        PathFixture(
            octets: [0x3c, 0x61, 0x40, 0xf0, 0x9f, 0xa6],
            .failure(.needsUTF8),
            utf8: true
        ),
    ]

    @Test(arguments: localParts) func localPart(fixture: PathFixture) { self.check(fixture) }
    @Test(arguments: domains) func domain(fixture: PathFixture) { self.check(fixture) }
    @Test(arguments: literals) func addressLiteral(fixture: PathFixture) { self.check(fixture) }
    @Test(arguments: paths) func path(fixture: PathFixture) { self.check(fixture) }
    @Test(arguments: internationalised) func utf8(fixture: PathFixture) { self.check(fixture) }

    /// The null path is one only where it may be.
    @Test func nullPathNeedsLeave() {
        #expect(throws: MailPath.Failure.syntax) {
            try MailPath.parse(
                Array("<>".utf8).span,
                at: 0,
                allowsNull: false,
                allowsBare: true,
                utf8: true
            )
        }
    }

    private func check(_ fixture: PathFixture) {
        // A path stands somewhere in its line, not at its beginning only.
        let prefix = Array("RCPT TO:".utf8)
        for start in [0, prefix.count] {
            let line = (start == 0 ? [] : prefix) + fixture.written
            #expect(self.read(line, at: start, fixture) == fixture.outcome)
        }
    }

    private func read(_ line: [UInt8], at start: Int, _ fixture: PathFixture) -> PathFixture.Outcome
    {
        do {
            let path = try MailPath.parse(
                line.span,
                at: start,
                allowsNull: true,
                allowsBare: fixture.bare,
                utf8: fixture.utf8
            )
            if path.isNull {
                #expect(path.end == start + 2)
                return .null
            }
            let local = line[path.localPart.indices]
            #expect(path.isQuoted == (local.first == UInt8(ascii: "\"")))
            let domain = line[path.domain.indices]
            #expect(
                Array(line[path.mailbox.indices])
                    == Array(local) + (domain.isEmpty ? [] : [0x40]) + Array(domain)
            )
            return .path(
                String(decoding: local, as: UTF8.self),
                String(decoding: domain, as: UTF8.self),
                rest: String(decoding: line[path.end...], as: UTF8.self)
            )
        } catch {
            return .failure(error)
        }
    }
}
