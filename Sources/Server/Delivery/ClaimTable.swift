// SPDX-License-Identifier: Apache-2.0
//
// The messages that were read from the queue to be delivered. A claim lives here alone: it costs no
// write, and dies with the process, whose successor finds the message as it was.

internal import Delivery
internal import MailStore
internal import MailSyntax

/// Claimed messages, each with its recipients at one destination.
struct ClaimTable {
    private var messages: [Destination: [MessageID: QueuedMessage]] = [:]
    /// Octets of content among them.
    private(set) var octets = 0
    private(set) var count = 0

    var isEmpty: Bool { self.count == 0 }

    subscript(message: MessageID, of destination: Destination) -> QueuedMessage? {
        self.messages[destination]?[message]
    }

    /// Whether the message is claimed for any destination.
    func contains(_ message: MessageID) -> Bool {
        self.messages.values.contains { $0[message] != nil }
    }

    /// All claimed messages.
    var ids: Set<MessageID> {
        var ids: Set<MessageID> = []
        for messages in self.messages.values { ids.formUnion(messages.keys) }
        return ids
    }

    /// Takes a message in, and describes it to the scheduler.
    mutating func insert(
        _ message: QueuedMessage,
        of destination: Destination
    ) -> QueueScheduler.Claim {
        self.remove(message.id, of: destination)
        self.messages[destination, default: [:]][message.id] = message
        let octets = message.content?.count ?? 0
        self.octets += octets
        self.count += 1
        return QueueScheduler.Claim(message.id, octets: octets, sender: message.sender)
    }

    mutating func remove(_ message: MessageID, of destination: Destination) {
        guard let removed = self.messages[destination]?.removeValue(forKey: message) else { return }
        self.octets -= removed.content?.count ?? 0
        self.count -= 1
        if self.messages[destination]?.isEmpty ?? false { self.messages[destination] = nil }
    }
}

extension QueuedMessage {
    /// Whose message it is, as one number: the account's, or one made of the reverse-path.
    fileprivate var sender: UInt64 {
        if let account { return UInt64(bitPattern: account.rawValue) }
        // FNV-1a, the same in every process.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for octet in self.reversePath { hash = (hash ^ UInt64(octet)) &* 0x0000_0100_0000_01b3 }
        return hash
    }
}
