// SPDX-License-Identifier: Apache-2.0
//
// What holds for an SMTP or LMTP client's session, whatever the server says: no trap, no more
// consumed than given, progress or patience, bounded output, an outcome for each recipient, and
// nothing but commands and one message at a time on the wire.

import MailBytes

/// Holds a conversation three times, with the octets cut in three ways.
///
/// The first two octets of the input choose settings, the third how the octets are cut, the fourth
/// what the driver does; the rest is what the server says, whatever it was asked. Octets of 0xFE
/// divide it into flights: after STARTTLS the rest of a flight is lost.
public enum SMTPClientProperty {
    /// Throws when a property does not hold.
    public static func check(_ input: [UInt8]) throws(BrokenProperty) {
        guard input.count > 4 else { return }
        let flights = input[4...].split(separator: 0xfe, omittingEmptySubsequences: false)
            .map(Array.init)
        for segment in [input.count, Int(input[2] % 40) + 1, 1] {
            var conversation = SMTPClientConversation(
                choices: (input[0], input[1]),
                acts: Int(input[3])
            )
            try conversation.hold(flights, segment: segment)
        }
    }
}
