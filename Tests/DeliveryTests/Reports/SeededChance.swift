// SPDX-License-Identifier: Apache-2.0

/// Choices that come from one seed (SplitMix64).
struct SeededChance {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func pick(_ bound: Int) -> Int { Int(self.next() % UInt64(max(bound, 1))) }

    mutating func pick<Element>(from elements: [Element]) -> Element {
        elements[self.pick(elements.count)]
    }

    /// Octets out of pieces that are dear to attackers, mixed with any octets.
    mutating func hostileOctets(countMax: Int) -> [UInt8] {
        let pieces: [String] = [
            "\r\n", "\n", "\r", "\r\n\r\n", "\r\n.\r\n", "Bcc: x@y\r\n",
            "--=_00000000004K7.feedface",
            "Content-Type: text/html\r\n\r\n", "\u{202e}", "\0", "\u{1b}[2J", "  ", "\t", "=",
            "+0D+0A",
            "\\x{D}\\x{A}", ";", "<", ">", "@", "ä", "550 5.1.1 ", "From ", "abc", "\"", "\\", "(",
        ]
        var out: [UInt8] = []
        let count = self.pick(countMax)
        while out.count < count {
            switch self.pick(4) {
            case 0: out.append(UInt8(truncatingIfNeeded: self.next()))
            case 1: out += [UInt8](repeating: UInt8(ascii: "w"), count: self.pick(countMax / 2 + 1))
            default: out += self.pick(from: pieces).utf8
            }
        }
        return Array(out.prefix(count))
    }
}
