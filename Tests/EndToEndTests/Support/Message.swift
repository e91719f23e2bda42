// SPDX-License-Identifier: Apache-2.0
//
// Messages that are easy to tell apart and hard to carry unharmed.

import Foundation

/// Content with CRLF line ends.
struct Message: Equatable {
    let octets: [UInt8]

    /// Text with LF line ends becomes a message.
    init(_ text: String) {
        self.octets = Array(text.replacing("\n", with: "\r\n").utf8)
    }

    init(octets: [UInt8]) { self.octets = octets }

    /// A message of at least `count` octets with dots, empty lines, long lines and, if wanted,
    /// octets above 127; the same one for the same seed.
    init(seed: Int, octets count: Int = 2000, eightBit: Bool = false) {
        var octets = Array("Subject: message \(seed)\r\nFrom: <writer@example.org>\r\n\r\n".utf8)
        octets.reserveCapacity(count + 1000)
        var state = UInt64(truncatingIfNeeded: seed) &* 0x9e37_79b9_7f4a_7c15 | 1
        func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
        let letters: [UInt8] =
            eightBit ? [0xe4, 0x41, 0xff, 0x2e, 0x80] : [0x61, 0x41, 0x3d, 0x2e, 0x20]
        while octets.count < count {
            switch next() % 8 {
            case 0: octets += Array(".\r\n".utf8)
            case 1: octets += Array("..two dots\r\n".utf8)
            case 2: octets += Array("\r\n".utf8)
            case 3:
                octets += [UInt8](repeating: letters[Int(next() % 5)], count: 990) + [0x0d, 0x0a]
            default:
                octets += Array("line \(next()) ".utf8) + letters + [0x0d, 0x0a]
            }
        }
        self.octets = octets
    }

    /// The message as DATA sends it, with the final dot.
    var dotStuffed: [UInt8] {
        var stuffed: [UInt8] = []
        stuffed.reserveCapacity(self.octets.count + 1024)
        var isLineStart = true
        for octet in self.octets {
            if isLineStart, octet == 0x2e { stuffed.append(0x2e) }
            stuffed.append(octet)
            isLineStart = octet == 0x0a
        }
        return stuffed + Array(".\r\n".utf8)
    }

    /// The message without the trace fields that delivery puts in front of it: one Return-Path and
    /// one Received.
    ///
    /// Nil when they are not there, in this order.
    var withoutTrace: Message? {
        var rest = self.octets[...]
        for name in ["Return-Path: ", "Received: "] {
            guard rest.starts(with: Array(name.utf8)) else { return nil }
            repeat {
                guard let end = rest.firstIndex(of: 0x0a) else { return nil }
                rest = rest[(end + 1)...]
            } while rest.first == 0x20 || rest.first == 0x09
        }
        return Message(octets: Array(rest))
    }

    /// What comes after the header, with LF line ends: servers add fields to a header.
    var body: Data {
        let octets = self.withBareNewlines
        let end = octets.firstRange(of: Data("\n\n".utf8))?.upperBound ?? octets.endIndex
        return Data(octets[end...])
    }

    /// The message with LF line ends, as programs for files want it.
    var withBareNewlines: Data { Data(self.octets.filter { $0 != 0x0d }) }

    var data: Data { Data(self.octets) }

    var text: String { String(decoding: self.octets, as: UTF8.self) }
}
