// SPDX-License-Identifier: Apache-2.0
//
// How deliveries ask for their next messages, and what they get: one pass over what is due of one
// destination, with content.

package import MailSyntax

/// What is wanted of one destination.
package struct DueMessagesQuery: Sendable {
    package let destination: [UInt8]
    /// Seconds since 1970.
    package let now: Int64
    package let messagesMax: Int
    /// The most recipients of one message; more of them are found when these are settled.
    package let recipientsMax: Int
    /// Messages that are being delivered to that destination.
    package let excluding: Set<MessageID>
    /// What the contents of all messages may come to; those that fit no more come without.
    package let octetsMax: Int

    package init(
        destination: [UInt8],
        now: Int64,
        messagesMax: Int,
        recipientsMax: Int = 100,
        excluding: Set<MessageID> = [],
        octetsMax: Int
    ) {
        self.destination = destination
        self.now = now
        self.messagesMax = messagesMax
        self.recipientsMax = recipientsMax
        self.excluding = excluding
        self.octetsMax = octetsMax
    }
}

/// Messages to be delivered, those that have been due for longest first.
package struct DueMessages: Sendable {
    /// With the recipients that are due at the destination.
    package let messages: [QueuedMessage]
    /// Whether there are no more, beside those that were excluded.
    package let isComplete: Bool
}
