// SPDX-License-Identifier: Apache-2.0
//
// What was put into the queue, what other servers took, and what senders were told: the other side
// of the promise that each recipient's mail arrives or comes back.

internal import MailBytes
internal import MailSyntax

/// The messages of a simulation of the queue and their fate.
package final class QueueLedger {
    /// One recipient of one message.
    package struct Recipient {
        package let notify: NotifyConditions
        /// How often a host took the message for him.
        package fileprivate(set) var deliveries = 0
        /// How often one took it without our hearing of it: each may cost a duplicate.
        package fileprivate(set) var doubts = 0
        /// Whether the last host that took it reports success itself.
        package fileprivate(set) var isPassedOn = false
        /// How often his sender was told of each action.
        package fileprivate(set) var reports: [String: Int] = [:]
        /// Whether an operator has removed him without a word.
        package fileprivate(set) var isRemoved = false
    }

    /// One message.
    package struct Entry {
        package let number: Int
        /// Empty: null.
        package let reversePath: String
        package let content: [UInt8]
        /// Whether the store has it.
        package fileprivate(set) var isAccepted = false
        package fileprivate(set) var recipients: [String: Recipient]
    }

    package private(set) var entries: [Entry] = []
    /// What was seen that must never be.
    package private(set) var violations: [String] = []
    /// How many messages, reports not counted, other servers took.
    package private(set) var deliveryCount = 0
    /// How many reports were read.
    package private(set) var reportCount = 0

    package init() {}

    package func violate(_ text: String) {
        // The first few tell it all.
        if self.violations.count < 20 { self.violations.append(text) }
    }

    // MARK: - What goes in

    package func open(
        from reversePath: String,
        to recipients: [(String, NotifyConditions)],
        content: (Int) -> [UInt8]
    ) -> Entry {
        let number = self.entries.count
        let entry = Entry(
            number: number,
            reversePath: reversePath,
            content: content(number),
            recipients: Dictionary(
                recipients.map { ($0.0, Recipient(notify: $0.1)) },
                uniquingKeysWith: { first, _ in first }
            )
        )
        self.entries.append(entry)
        return entry
    }

    package func accepted(_ number: Int) { self.entries[number].isAccepted = true }

    /// An operator has removed what waits for that recipient.
    package func removed(_ number: Int, _ address: String) {
        self.entries[number].recipients[address]?.isRemoved = true
    }

    // MARK: - What other servers took

    /// A host has taken a message for a recipient.
    ///
    /// - Parameter isPassedOn: whether the host reports success itself.
    package func delivered(
        _ content: [UInt8],
        from reversePath: String,
        to address: String,
        isPassedOn: Bool
    ) {
        if reversePath.isEmpty, content.starts(with: Self.report) {
            return self.reportRead(content, by: address)
        }
        guard let number = Self.number(in: content), self.entries.indices.contains(number) else {
            return self.violate("a message that nobody sent went to \(address)")
        }
        let entry = self.entries[number]
        guard entry.isAccepted, entry.recipients[address] != nil else {
            return self.violate("message \(number) went to \(address), who is no recipient")
        }
        if entry.reversePath != reversePath {
            self.violate("message \(number) came from <\(reversePath)>")
        }
        if entry.content != content {
            self.violate("message \(number) arrived as \(content.count) other octets")
        }
        self.deliveryCount += 1
        self.entries[number].recipients[address]?.deliveries += 1
        self.entries[number].recipients[address]?.isPassedOn = isPassedOn
    }

    /// The host's word on it was never heard.
    package func doubt(_ content: [UInt8], about address: String) {
        guard let number = Self.number(in: content), self.entries.indices.contains(number) else {
            return
        }
        self.doubt(number, about: address)
    }

    private func doubt(_ number: Int, about address: String) {
        self.entries[number].recipients[address]?.doubts += 1
    }

    /// The server has died while that recipient waited: what hosts took for him is forgotten.
    package func forgotten(_ number: Int, by address: String) {
        guard let recipient = self.entries[number].recipients[address] else { return }
        let doubts = max(recipient.doubts, recipient.deliveries)
        self.entries[number].recipients[address]?.doubts = doubts
    }

    // MARK: - What senders were told

    /// A report has reached somebody.
    package func reportRead(_ content: [UInt8], by address: String) {
        self.reportCount += 1
        let lines = content.split(separator: .lf).map { line in
            String(decoding: line.last == .cr ? line.dropLast() : line, as: UTF8.self)
        }
        guard let number = Self.number(in: content), self.entries.indices.contains(number) else {
            return self.violate("a report to \(address) is about nothing")
        }
        let entry = self.entries[number]
        if entry.reversePath != address {
            self.violate("\(address) was told of message \(number) from <\(entry.reversePath)>")
        }
        for (line, next) in zip(lines, lines.dropFirst()) where line.hasPrefix(Self.final) {
            let recipient = String(line.dropFirst(Self.final.count))
            let action = String(next.dropFirst("Action: ".count))
            guard entry.recipients[recipient] != nil else {
                self.violate("a report on message \(number) tells of \(recipient)")
                continue
            }
            self.entries[number].recipients[recipient]?.reports[action, default: 0] += 1
        }
    }

    /// How reports begin, and no other message.
    static let report = Array("From: Mail Delivery System".utf8)
    private static let final = "Final-Recipient: rfc822; "
    private static let numberField = Array("X-Number: ".utf8)

    /// The number of a message, in its content or in a report on it.
    static func number(in content: [UInt8]) -> Int? {
        for line in content.split(separator: .lf) where line.starts(with: self.numberField) {
            let digits = line.dropFirst(self.numberField.count).prefix { $0.isASCIIDigit }
            return Int(String(decoding: digits, as: UTF8.self))
        }
        return nil
    }

    // MARK: - The end

    /// Holds what became of each recipient against what may.
    ///
    /// - Parameter isReachable: whether reports to a reverse-path cannot get lost.
    package func settle(isReachable: (String) -> Bool) {
        for entry in self.entries {
            for (address, recipient) in entry.recipients {
                let name = "message \(entry.number) to \(address)"
                guard entry.isAccepted else {
                    if recipient.deliveries > 0 { self.violate("\(name): refused and delivered") }
                    continue
                }
                self.settle(recipient, name, of: entry, isReachable(entry.reversePath))
            }
        }
    }

    private func settle(
        _ recipient: Recipient,
        _ name: String,
        of entry: Entry,
        _ isReachable: Bool
    ) {
        let failures = recipient.reports["failed"] ?? 0
        let wantsFailure =
            !entry.reversePath.isEmpty && !recipient.notify.contains(.never)
            && recipient.notify.wantsFailure
        if recipient.deliveries > 1 + recipient.doubts {
            self.violate("\(name): \(recipient.deliveries) copies, \(recipient.doubts) doubts")
        }
        if failures > 0, !wantsFailure { self.violate("\(name): a report nobody wanted") }
        if failures > 0, recipient.deliveries > 0, recipient.doubts == 0 {
            self.violate("\(name): delivered, and bounced")
        }
        if isReachable, failures > 1 { self.violate("\(name): \(failures) bounces") }
        if isReachable, recipient.deliveries == 0, failures == 0, wantsFailure,
            !recipient.isRemoved
        {
            self.violate("\(name): lost without a word")
        }
        self.settleOthers(recipient, name, of: entry, isReachable)
    }

    /// Reports of success and delay.
    private func settleOthers(
        _ recipient: Recipient,
        _ name: String,
        of entry: Entry,
        _ isReachable: Bool
    ) {
        let relays = recipient.reports["relayed"] ?? 0
        let delays = recipient.reports["delayed"] ?? 0
        let wantsSuccess =
            !entry.reversePath.isEmpty && recipient.notify.contains(.success)
        if relays > 0, !wantsSuccess { self.violate("\(name): success that nobody asked for") }
        if relays > 0, recipient.deliveries == 0 { self.violate("\(name): success of nothing") }
        if delays > 0, !recipient.notify.wantsDelay || recipient.notify.contains(.never) {
            self.violate("\(name): a delay that nobody asked for")
        }
        guard isReachable, recipient.deliveries == 1, recipient.doubts == 0, wantsSuccess else {
            return
        }
        let expected = recipient.isPassedOn ? 0 : 1
        if relays != expected { self.violate("\(name): \(relays) reports of success") }
    }
}
