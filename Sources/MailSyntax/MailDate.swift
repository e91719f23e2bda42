// SPDX-License-Identifier: Apache-2.0
//
// Dates as mail writes them, computed from seconds since 1970 without any library: the calendar of
// RFC 5322, section 3.3, always in UTC.

public import MailBytes

/// A date and time in UTC.
public struct MailDate: BitwiseCopyable, Sendable {
    private let year: Int
    private let month: Int
    private let day: Int
    private let weekday: Int
    private let secondOfDay: Int

    /// The date of a number of seconds since 1970-01-01T00:00:00Z.
    public init(secondsSince1970 seconds: Int64) {
        let (days, rest) = Int(seconds).quotientAndRemainder(dividingBy: 86400)
        let day = rest < 0 ? days - 1 : days
        self.secondOfDay = rest < 0 ? rest + 86400 : rest
        self.weekday = ((day + 4) % 7 + 7) % 7
        // Days are counted from 0000-03-01, so that the leap day is a year's last.
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        self.day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        self.month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        self.year = yearOfEra + era * 400 + (self.month <= 2 ? 1 : 0)
    }

    private static let weekdays: StaticString = "SunMonTueWedThuFriSat"
    private static let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"

    /// Appends `Tue, 24 Nov 2026 14:12:14 +0000`.
    public func append(to buffer: inout ReplyBuffer) {
        buffer.append(Self.weekdays, ByteRange(at: 3 * self.weekday, count: 3))
        buffer.append(", ")
        buffer.append(decimal: self.day)
        buffer.append(.space)
        buffer.append(Self.months, ByteRange(at: 3 * (self.month - 1), count: 3))
        buffer.append(.space)
        buffer.append(decimal: self.year, digits: 4)
        buffer.append(.space)
        self.appendTime(to: &buffer)
        buffer.append(" +0000")
    }

    /// The date as `append(to:)` writes it.
    public var text: String {
        var buffer = ReplyBuffer(capacity: 32)
        self.append(to: &buffer)
        return String(decoding: buffer.span.copy(), as: UTF8.self)
    }

    private func appendTime(to buffer: inout ReplyBuffer) {
        buffer.append(decimal: self.secondOfDay / 3600, digits: 2)
        buffer.append(UInt8(ascii: ":"))
        buffer.append(decimal: self.secondOfDay / 60 % 60, digits: 2)
        buffer.append(UInt8(ascii: ":"))
        buffer.append(decimal: self.secondOfDay % 60, digits: 2)
    }

    /// `2026-11-24T14:12:14.123Z` (RFC 3339), for logs.
    public static func iso8601(secondsSince1970 seconds: Int64, milliseconds: Int) -> String {
        let date = MailDate(secondsSince1970: seconds)
        var buffer = ReplyBuffer(capacity: 32)
        buffer.append(decimal: date.year, digits: 4)
        buffer.append(UInt8(ascii: "-"))
        buffer.append(decimal: date.month, digits: 2)
        buffer.append(UInt8(ascii: "-"))
        buffer.append(decimal: date.day, digits: 2)
        buffer.append(UInt8(ascii: "T"))
        date.appendTime(to: &buffer)
        buffer.append(.dot)
        buffer.append(decimal: milliseconds, digits: 3)
        buffer.append(UInt8(ascii: "Z"))
        return String(decoding: buffer.span.copy(), as: UTF8.self)
    }
}
