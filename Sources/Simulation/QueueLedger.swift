// SPDX-License-Identifier: Apache-2.0
//
// What was put into the queue, what other servers took, and what senders were told: the other side
// of the promise that each recipient's mail arrives or comes back.

internal import MailBytes
internal import MailSyntax

/// The messages of a simulation of the queue and their fate.
package final class QueueLedger {
    /// One recipient of one message.
    struct Recipient {
        let notify: NotifyConditions
        /// How often a host took the message for him.
        fileprivate(set) var deliveries = 0
        /// How often one took it without our hearing of it: each may cost a duplicate.
        fileprivate(set) var doubts = 0
        /// Whether the last host that took it reports success itself.
        fileprivate(set) var isPassedOn = false
        /// How often his sender was told of each action.
        fileprivate(set) var reports: [String: Int] = [:]
        /// Whether an operator has removed him without a word.
        fileprivate(set) var isRemoved = false
    }

    /// What its sender knows of a message.
    enum Fate {
        /// It has not been handed over whole.
        case unsent
        /// It has been, and nobody heard what became of it.
        case inDoubt
        case accepted
        case refused
    }

    /// One message.
    struct Entry {
        let number: Int
        /// Empty: null.
        let reversePath: String
        let content: [UInt8]
        fileprivate(set) var fate = Fate.unsent
        fileprivate(set) var recipients: [String: Recipient]
    }

    private(set) var entries: [Entry] = []
    /// What was seen that must never be.
    package private(set) var violations: [String] = []
    /// How many messages, reports not counted, other servers took.
    package private(set) var deliveryCount = 0
    /// How many reports were read.
    package private(set) var reportCount = 0

    init() {}

    func violate(_ text: String) {
        // The first few tell it all.
        if self.violations.count < 20 { self.violations.append(text) }
    }

    // MARK: - What goes in

    func open(
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

    /// All of the message was sent, for those of its recipients that were accepted.
    func sent(_ number: Int, to recipients: Set<String>) {
        self.entries[number].fate = .inDoubt
        self.entries[number].recipients = self.entries[number].recipients.filter {
            recipients.contains($0.key)
        }
    }

    func accepted(_ number: Int) { self.entries[number].fate = .accepted }

    func refused(_ number: Int) { self.entries[number].fate = .refused }

    /// An operator has removed what waits for that recipient.
    func removed(_ number: Int, _ address: String) {
        self.entries[number].recipients[address]?.isRemoved = true
    }

    // MARK: - What other servers took

    /// A host has taken a message for a recipient, and reports success itself if it `isPassedOn`.
    func delivered(
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
        guard entry.fate == .accepted || entry.fate == .inDoubt,
            entry.recipients[address] != nil
        else {
            return self.violate("message \(number) went to \(address), who is no recipient")
        }
        if entry.reversePath != reversePath {
            self.violate("message \(number) came from <\(reversePath)>")
        }
        // What came by SMTP has got its trace.
        let isTraced = content.starts(with: "Received: ".utf8)
        if isTraced
            ? !content.suffix(entry.content.count).elementsEqual(entry.content)
            : content != entry.content
        {
            self.violate("message \(number) arrived as \(content.count) other octets")
        }
        self.deliveryCount += 1
        self.entries[number].recipients[address]?.deliveries += 1
        self.entries[number].recipients[address]?.isPassedOn = isPassedOn
    }

    /// The host's word on it was never heard.
    func doubt(_ content: [UInt8], about address: String) {
        guard let number = Self.number(in: content), self.entries.indices.contains(number) else {
            return
        }
        self.doubt(number, about: address)
    }

    private func doubt(_ number: Int, about address: String) {
        self.entries[number].recipients[address]?.doubts += 1
    }

    /// The server has died while that recipient waited: what hosts took for him is forgotten.
    func forgotten(_ number: Int, by address: String) {
        guard let recipient = self.entries[number].recipients[address] else { return }
        let doubts = max(recipient.doubts, recipient.deliveries)
        self.entries[number].recipients[address]?.doubts = doubts
    }

    // MARK: - What senders were told

    /// A message lies in a maildrop of this server.
    func found(_ content: [UInt8], in maildrop: String) {
        // Return-Path was added by the delivery.
        guard let end = content.span.firstIndex(of: .lf), let open = content.firstIndex(of: 0x3c),
            let close = content.firstIndex(of: 0x3e), open < close, close < end
        else { return self.violate("a message in \(maildrop) came from nowhere") }
        self.delivered(
            Array(content[(end + 1)...]),
            from: String(decoding: content[(open + 1)..<close], as: UTF8.self),
            to: maildrop,
            isPassedOn: false
        )
    }

    /// A report has reached somebody.
    func reportRead(_ content: [UInt8], by address: String) {
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
    func settle(isReachable: (String) -> Bool) {
        for entry in self.entries {
            for (address, recipient) in entry.recipients {
                let name = "message \(entry.number) to \(address)"
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
            entry.fate == .accepted, !recipient.isRemoved
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
        let relays = (recipient.reports["relayed"] ?? 0) + (recipient.reports["delivered"] ?? 0)
        let delays = recipient.reports["delayed"] ?? 0
        let wantsSuccess =
            !entry.reversePath.isEmpty && recipient.notify.contains(.success)
        if relays > 0, !wantsSuccess { self.violate("\(name): success that nobody asked for") }
        if relays > 0, recipient.deliveries == 0 { self.violate("\(name): success of nothing") }
        if delays > 0, !recipient.notify.wantsDelay || recipient.notify.contains(.never) {
            self.violate("\(name): a delay that nobody asked for")
        }
        guard isReachable, recipient.deliveries == 1, recipient.doubts == 0, wantsSuccess,
            !recipient.isRemoved
        else { return }
        let expected = recipient.isPassedOn ? 0 : 1
        if relays != expected { self.violate("\(name): \(relays) reports of success") }
    }
}
