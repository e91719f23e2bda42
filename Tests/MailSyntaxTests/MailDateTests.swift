// SPDX-License-Identifier: Apache-2.0
//
// Dates: known ones, the edges of months and leap years, and the calendar of Foundation.

import Foundation
import MailBytes
import MailSyntax
import Testing

@Suite struct MailDateTests {
    private func text(_ seconds: Int64) -> String {
        var buffer = ReplyBuffer()
        MailDate(secondsSince1970: seconds).append(to: &buffer)
        return String(decoding: buffer.span.copy(), as: UTF8.self)
    }

    @Test(arguments: [
        (Int64(0), "Thu, 1 Jan 1970 00:00:00 +0000"),
        (1, "Thu, 1 Jan 1970 00:00:01 +0000"),
        (86_399, "Thu, 1 Jan 1970 23:59:59 +0000"),
        (86_400, "Fri, 2 Jan 1970 00:00:00 +0000"),
        (-1, "Wed, 31 Dec 1969 23:59:59 +0000"),
        (-86_400, "Wed, 31 Dec 1969 00:00:00 +0000"),
        (-86_401, "Tue, 30 Dec 1969 23:59:59 +0000"),
        (68_169_600, "Tue, 29 Feb 1972 00:00:00 +0000"),
        (946_684_799, "Fri, 31 Dec 1999 23:59:59 +0000"),
        (946_684_800, "Sat, 1 Jan 2000 00:00:00 +0000"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
        (951_868_800, "Wed, 1 Mar 2000 00:00:00 +0000"),
        (1_000_000_000, "Sun, 9 Sep 2001 01:46:40 +0000"),
        (1_709_210_096, "Thu, 29 Feb 2024 12:34:56 +0000"),
        (1_795_529_534, "Tue, 24 Nov 2026 14:12:14 +0000"),
        (2_147_483_647, "Tue, 19 Jan 2038 03:14:07 +0000"),
        (2_147_483_648, "Tue, 19 Jan 2038 03:14:08 +0000"),
        (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 +0000"),
        (4_107_542_400, "Mon, 1 Mar 2100 00:00:00 +0000"),
        (4_294_967_296, "Sun, 7 Feb 2106 06:28:16 +0000"),
        (13_574_563_200, "Tue, 29 Feb 2400 00:00:00 +0000"),
        (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 +0000"),
        (253_402_300_800, "Sat, 1 Jan 10000 00:00:00 +0000"),
        (-62_135_596_800, "Mon, 1 Jan 0001 00:00:00 +0000"),
    ])
    func knownDates(seconds: Int64, text: String) {
        #expect(self.text(seconds) == text)
    }

    /// A day of each week of 450 years, one second before it begins and as it does.
    @Test func agreesWithFoundation() {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "UTC")
        format.dateFormat = "EEE, d MMM yyyy HH:mm:ss '+0000'"
        for day in stride(from: Int64(-25_000), to: 140_000, by: 7) {
            for seconds in [day * 86_400 - 1, day * 86_400] {
                let expected = format.string(from: Date(timeIntervalSince1970: Double(seconds)))
                guard self.text(seconds) == expected else {
                    Issue.record("\(seconds): \(self.text(seconds)), not \(expected)")
                    return
                }
            }
        }
    }

    @Test func noClockIsTooWrong() {
        #expect(self.text(.max).hasSuffix("+0000"))
        #expect(self.text(.min).hasSuffix("+0000"))
    }

    @Test func logsHaveMilliseconds() {
        #expect(
            MailDate.iso8601(secondsSince1970: 1_795_529_534, milliseconds: 7)
                == "2026-11-24T14:12:14.007Z"
        )
        #expect(
            MailDate.iso8601(secondsSince1970: 0, milliseconds: 999) == "1970-01-01T00:00:00.999Z"
        )
    }
}
