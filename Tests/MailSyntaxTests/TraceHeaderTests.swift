// SPDX-License-Identifier: Apache-2.0
//
// The exact text of Received fields (RFC 5321, section 4.4).

import MailBytes
import MailSyntax
import Testing

@Suite struct TraceHeaderTests {
    private func received(
        from name: String,
        _ client: NetworkAddress?,
        by hostname: String = "mx.example.org",
        with protocolName: StaticString = "ESMTP",
        for recipient: String = ""
    ) -> String {
        var buffer = ReplyBuffer()
        TraceHeader.appendReceived(
            to: &buffer,
            from: Array(name.utf8).span,
            client: client,
            by: Array(hostname.utf8),
            with: protocolName,
            id: MessageID(rawValue: 1),
            for: Array(recipient.utf8).span,
            date: MailDate(secondsSince1970: 1_795_529_534)
        )
        return String(decoding: buffer.span.copy(), as: UTF8.self)
    }

    private static let ipv4 = NetworkAddress(ipv4: 0xc000_0201, port: 4711)
    private static let ipv6 = NetworkAddress(ipv6: 0x2001_0db8_0000_0000, 1, port: 4711)
    private static let longIPv6 = NetworkAddress(
        ipv6: 0x2001_0db8_1234_5678,
        0x1234_5678_9abc_def0,
        port: 1
    )

    @Test func hiddenClient() {
        #expect(
            self.received(from: "[192.168.0.7]", nil, with: "ESMTPSA", for: "b@example.org")
                == """
                Received: from submission (hidden)\r
                \tby mx.example.org with ESMTPSA id 0000000000001\r
                \tfor <b@example.org>;\r
                \tTue, 24 Nov 2026 14:12:14 +0000\r

                """
        )
    }

    @Test func ipv4WithRecipient() {
        #expect(
            self.received(from: "client.example", Self.ipv4, for: "user@example.org")
                == "Received: from client.example ([192.0.2.1])\r\n"
                + "\tby mx.example.org with ESMTP id 0000000000001\r\n"
                + "\tfor <user@example.org>;\r\n"
                + "\tTue, 24 Nov 2026 14:12:14 +0000\r\n"
        )
    }

    @Test func ipv6WithoutRecipient() {
        #expect(
            self.received(from: "[IPv6:2001:db8::1]", Self.ipv6, with: "UTF8SMTPS")
                == "Received: from [IPv6:2001:db8::1] ([IPv6:2001:db8::1])\r\n"
                + "\tby mx.example.org with UTF8SMTPS id 0000000000001;\r\n"
                + "\tTue, 24 Nov 2026 14:12:14 +0000\r\n"
        )
    }

    @Test func unixSocket() {
        #expect(
            self.received(from: "localhost", .unix, with: "LMTP", for: "\"a b\"@example.org")
                == "Received: from localhost (local socket)\r\n"
                + "\tby mx.example.org with LMTP id 0000000000001\r\n"
                + "\tfor <\"a b\"@example.org>;\r\n"
                + "\tTue, 24 Nov 2026 14:12:14 +0000\r\n"
        )
    }

    @Test func longNamesAreFolded() {
        #expect(
            self.received(
                from: "mail-out-0001.region-1.example.net",
                Self.longIPv6,
                by: "a-host-with-a-long-name-0001.region-1.mail.example.org"
            )
                == "Received: from mail-out-0001.region-1.example.net\r\n"
                + "\t([IPv6:2001:db8:1234:5678:1234:5678:9abc:def0])\r\n"
                + "\tby a-host-with-a-long-name-0001.region-1.mail.example.org\r\n"
                + "\twith ESMTP id 0000000000001;\r\n"
                + "\tTue, 24 Nov 2026 14:12:14 +0000\r\n"
        )
    }

    /// RFC 5322, section 2.1.1: 78 where it can be, for every length of both names.
    @Test func linesAreShortWhereTheyCanBe() {
        for count in 1...120 {
            let name = String(repeating: "n", count: count)
            for text in [
                self.received(from: name, Self.longIPv6, with: "UTF8SMTPSA"),
                self.received(from: "x", Self.ipv4, by: name, with: "UTF8SMTPSA"),
            ] {
                let lines = text.split(separator: "\r\n")
                for line in lines where line.utf8.count > 78 {
                    #expect(line.contains(name) && !line.hasPrefix("\t("), "\(line)")
                    #expect(line.utf8.count <= count + 15, "\(line)")
                }
                #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("\t") })
            }
        }
    }

    /// What a client calls itself is a name, not a place to write trace information.
    @Test(arguments: [
        ("a (b) by c;\r\nX: y", "a??b??by?c???X:?y"),
        ("", "unknown"),
        ("\u{e9}", "??"),
        ("my_host.example", "my_host.example"),
        ("<>@\"\\", "?????"),
        ("\0\u{7f}", "??"),
    ])
    func clientNamesCannotForgeTheField(name: String, written: String) {
        let text = self.received(from: name, Self.ipv4)
        #expect(text.hasPrefix("Received: from \(written) ([192.0.2.1])\r\n\tby "))
        #expect(text.split(separator: "\r\n").count == 3)
    }
}
