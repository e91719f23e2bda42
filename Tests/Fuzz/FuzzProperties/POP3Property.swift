// SPDX-License-Identifier: Apache-2.0
//
// What holds for a POP3 session, whatever the client sends: no trap, no more consumed than given,
// progress or patience, bounded output, and the same conversation however the octets are cut.

import MailBytes
import POP3Protocol

/// Holds a conversation three times, with the octets cut in three ways.
///
/// The first octet of the input chooses settings, the second how the octets are cut, the third
/// what the store answers; the rest is what the client sends.
public enum POP3Property {
    /// Throws when a property does not hold.
    public static func check(_ input: [UInt8]) throws(BrokenProperty) {
        guard input.count > 3 else { return }
        let octets = Array(input[3...])
        let whole = try self.conversation(input[0], input[2], octets, segment: octets.count)
        for segment in [Int(input[1] % 40) + 1, 1] {
            let cut = try self.conversation(input[0], input[2], octets, segment: segment)
            try requireSame(whole, cut, segment: segment)
        }
    }

    /// All that the session said and asked, in order.
    private static func conversation(
        _ choice: UInt8,
        _ answers: UInt8,
        _ octets: [UInt8],
        segment: Int
    ) throws(BrokenProperty) -> [UInt8] {
        var conversation = POP3Conversation(choice: choice, answers: Int(answers))
        return try conversation.hold(octets, segment: segment)
    }
}
