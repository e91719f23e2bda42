// SPDX-License-Identifier: Apache-2.0
//
// Numbers, times and words of strangers, as people read them on a terminal.

internal import MailBytes
internal import MailSyntax

enum QueueText {
    /// Octets as `812 B`, `10.2 KiB`, `3.0 MiB`.
    static func size(_ octets: Int) -> String {
        guard octets >= 1024 else { return "\(octets) B" }
        var tenths = octets * 10 / 1024
        var units = ["KiB", "MiB", "GiB", "TiB"][...]
        while tenths >= 10_240, units.count > 1 {
            tenths /= 1024
            units.removeFirst()
        }
        return "\(tenths / 10).\(tenths % 10) \(units.first ?? "")"
    }

    /// Seconds as the two largest of their units: `45s`, `3m12s`, `2h5m`, `4d23h`.
    static func duration(_ seconds: Int64) -> String {
        let seconds = max(seconds, 0)
        let units: [(name: String, seconds: Int64)] = [
            ("d", 86_400), ("h", 3600), ("m", 60), ("s", 1),
        ]
        for (unit, smaller) in zip(units, units.dropFirst()) where seconds >= unit.seconds {
            let rest = seconds % unit.seconds / smaller.seconds
            let whole = "\(seconds / unit.seconds)\(unit.name)"
            return rest > 0 ? "\(whole)\(rest)\(smaller.name)" : whole
        }
        return "\(seconds)s"
    }

    /// The seconds of `90s`, `15m`, `2h`, `3d`, `1w`; nil for anything else.
    static func seconds(_ text: String) -> Int64? {
        let units: [Character: Int64] = [
            "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800,
        ]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()),
            (0...1_000_000).contains(count)
        else { return nil }
        return count * unit
    }

    static func date(_ seconds: Int64) -> String {
        var buffer = ReplyBuffer(capacity: 64)
        MailDate(secondsSince1970: seconds).append(to: &buffer)
        return String(decoding: buffer.span.copy(), as: UTF8.self)
    }

    /// Words of a stranger, without what a terminal would obey.
    static func printable(_ octets: [UInt8]) -> String {
        var text = ""
        for scalar in String(decoding: octets, as: UTF8.self).unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: text += "?"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    static func sender(_ octets: [UInt8]) -> String {
        octets.isEmpty ? "<>" : self.printable(octets)
    }

    static func count(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
}
