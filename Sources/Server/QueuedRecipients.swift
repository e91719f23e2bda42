// SPDX-License-Identifier: Apache-2.0
//
// The recipients of one transaction that have to do with the queue: those of other domains, and
// those here of whom the sender wants to hear that the message was delivered.

internal import Delivery
internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import SMTPProtocol

/// What goes into the queue with a message.
struct QueuedRecipients {
    private(set) var recipients: [QueueRecipient] = []
    /// The octets of memory they take, roughly.
    private(set) var octets = 0

    private static let octetsOfRow = 128

    var isEmpty: Bool { self.recipients.isEmpty }

    /// Whether a mailbox among them is not of ASCII.
    var needUTF8: Bool { self.recipients.contains { $0.address.contains { $0 >= 0x80 } } }

    /// Adds a recipient of the domain of `address`.
    mutating func add(
        _ recipient: SMTPServerSession.Recipient,
        of address: Address,
        _ state: QueueRecipient.State = .waiting
    ) {
        let recipient = QueueRecipient(
            address: recipient.mailbox,
            destination: Array(address.domain),
            notify: recipient.notify,
            originalRecipient: recipient.originalRecipient,
            state: state
        )
        self.recipients.append(recipient)
        self.octets +=
            recipient.address.count + recipient.destination.count
            + recipient.originalRecipient.count + Self.octetsOfRow
    }

    mutating func removeAll() {
        self.recipients.removeAll(keepingCapacity: self.recipients.count < 16)
        self.octets = 0
    }
}

extension QueueSubmission {
    /// The destinations that have something to wait for now, each once.
    var destinations: [Destination] {
        var seen: Set<Destination> = []
        return self.recipients.compactMap { recipient in
            let destination = Destination(recipient.destination)
            guard recipient.state == .waiting, seen.insert(destination).inserted else {
                return nil
            }
            return destination
        }
    }

    /// Whether a report of success is due at once.
    var awaitsReports: Bool { self.recipients.contains { $0.state == .delivered } }
}

extension SMTPServerSession.Recipient {
    /// The same with a domain, when it has none.
    func withDomain(of address: Address) -> SMTPServerSession.Recipient {
        guard !self.mailbox.contains(UInt8(ascii: "@")) else { return self }
        return SMTPServerSession.Recipient(
            mailbox: address.octets,
            notify: self.notify,
            originalRecipient: self.originalRecipient
        )
    }

    /// The same for an address that an alias leads to.
    ///
    /// A report names the address that the sender wrote, which no other server could tell it (RFC
    /// 3461, section 5.2.1).
    func standing(for address: Address) -> SMTPServerSession.Recipient {
        SMTPServerSession.Recipient(
            mailbox: address.octets,
            notify: self.notify,
            originalRecipient: self.originalRecipient.isEmpty
                ? self.asOriginal : self.originalRecipient
        )
    }

    /// The mailbox as ORCPT has it; empty when it is not of ASCII.
    private var asOriginal: [UInt8] {
        guard self.mailbox.allSatisfy({ 0x20...0x7e ~= $0 }) else { return [] }
        let digits = Array("0123456789ABCDEF".utf8)
        return self.mailbox.reduce(into: Array("rfc822;".utf8)) { text, octet in
            switch octet {
            case UInt8(ascii: "+"), UInt8(ascii: "="), .space:
                // xtext (RFC 3461, section 4).
                text += [UInt8(ascii: "+"), digits[Int(octet >> 4)], digits[Int(octet & 15)]]
            default:
                text.append(octet)
            }
        }
    }
}
