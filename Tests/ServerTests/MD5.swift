// SPDX-License-Identifier: Apache-2.0
//
// RFC 1321, written down once more, so that the tests do not compute APOP digests with what they
// test.

import Foundation

enum MD5 {
    static func hexadecimal(_ text: String) -> String {
        var message = Array(text.utf8)
        let bits = UInt64(message.count * 8)
        message.append(0x80)
        while message.count % 64 != 56 { message.append(0) }
        for shift in 0..<8 { message.append(UInt8(truncatingIfNeeded: bits >> UInt64(8 * shift))) }
        var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]
        for block in stride(from: 0, to: message.count, by: 64) {
            let words = (0..<16).map { index in
                (0..<4).reduce(UInt32(0)) { word, octet in
                    word | UInt32(message[block + 4 * index + octet]) << UInt32(8 * octet)
                }
            }
            let sum = self.round(words, state)
            state = zip(state, sum).map { $0 &+ $1 }
        }
        return state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
            .map { String(format: "%02x", $0) }.joined()
    }

    private static let shifts: [[UInt32]] = [
        [7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21],
    ]

    private static func round(_ words: [UInt32], _ state: [UInt32]) -> [UInt32] {
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        for step in 0..<64 {
            let (mixed, word): (UInt32, Int) =
                switch step / 16 {
                case 0: ((b & c) | (~b & d), step)
                case 1: ((d & b) | (~d & c), (5 * step + 1) % 16)
                case 2: (b ^ c ^ d, (3 * step + 5) % 16)
                default: (c ^ (b | ~d), 7 * step % 16)
                }
            let constant = UInt32(abs(sin(Double(step + 1))) * 4_294_967_296)
            let sum = a &+ mixed &+ constant &+ words[word]
            let shift = self.shifts[step / 16][step % 4]
            (a, d, c, b) = (d, c, b, b &+ (sum << shift | sum >> (32 - shift)))
        }
        return [a, b, c, d]
    }
}
