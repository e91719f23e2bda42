// SPDX-License-Identifier: Apache-2.0
//
// What holds for an SMTP or LMTP session, whatever the client sends: no trap, no more consumed than
// given, progress or patience, bounded output, no bare CR or LF in what is stored, and the same
// conversation, logins and messages however the octets are cut; nothing that comes in clear behind
// STARTTLS is ever answered.

/// Holds a conversation three times, with the octets cut in three ways.
///
/// The first octet of the input and the fourth choose settings, the second how the octets are cut,
/// the third what the driver answers; the rest is what the client sends. Octets of 0xFE divide it
/// into flights: after STARTTLS the rest of a flight is lost, and the next comes inside TLS.
public enum SMTPProperty {
    /// Throws when a property does not hold.
    public static func check(_ input: [UInt8]) throws(BrokenProperty) {
        guard input.count > 4 else { return }
        let flights = input[4...].split(separator: 0xfe, omittingEmptySubsequences: false)
            .map(Array.init)
        let whole = try self.conversation(input, flights, segment: input.count)
        for segment in [Int(input[1] % 40) + 1, 1] {
            let cut = try self.conversation(input, flights, segment: segment)
            try requireSame(whole, cut, segment: segment)
        }
    }

    /// All that the session said, asked and stored, in order.
    private static func conversation(
        _ input: [UInt8],
        _ flights: [[UInt8]],
        segment: Int
    ) throws(BrokenProperty) -> [UInt8] {
        var conversation = SMTPConversation(
            choices: (input[0], input[3]),
            answers: Int(input[2])
        )
        return try conversation.hold(flights, segment: segment)
    }
}
