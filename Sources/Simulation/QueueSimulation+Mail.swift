// SPDX-License-Identifier: Apache-2.0
//
// The mail of a simulation of delivery: what it is like, and how it gets into the queue.

internal import Delivery
internal import EventLoop
internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import Server

extension QueueSimulation {
    /// Half of it comes by SMTP.
    func submit() {
        guard let server = self.incarnation?.server else { return }
        guard self.world.oneIn(2) else { return self.enqueue() }
        var options = self.options()
        options.requiresTLS = false
        var recipients = self.recipients()
        if self.world.oneIn(3) { recipients.append((self.senders[0], .success)) }
        let entry = self.ledger.open(from: self.reversePath(), to: recipients) {
            self.content($0, options)
        }
        let submitter = SimulatedSubmitter(
            ledger: self.ledger,
            entry: entry,
            recipients: recipients,
            options: options
        )
        self.slot += 1
        let stream = SimulatedStream(
            world: self.world,
            id: ConnectionID(slot: self.slot, generation: 1),
            peer: NetworkAddress(ipv4: 0xc000_0201, port: 0),
            toClient: { submitter.receive($0) }
        )
        submitter.connect(stream)
        self.incoming.append(stream)
        server.accept(stream, for: self.profile)
    }

    func enqueue() {
        guard let incarnation = self.incarnation, let id = self.messageIDs.next() else { return }
        let recipients = self.recipients()
        let options = self.options()
        let entry = self.ledger.open(from: self.reversePath(), to: recipients) {
            self.content($0, options)
        }
        let now = self.world.wallClock
        let queue = QueueSubmission(
            options: options,
            account: nil,
            expiresAt: now + Self.ageSeconds,
            warnAt: now + Self.warnSeconds,
            recipients: recipients.map { address, notify in
                QueueRecipient(
                    address: Array(address.utf8),
                    destination: Array(address.drop { $0 != "@" }.dropFirst().utf8),
                    notify: notify
                )
            }
        )
        let append = StoreRequest.Append(
            id: id,
            reversePath: Array(entry.reversePath.utf8),
            content: entry.content,
            stagedChunks: 0,
            octets: entry.content.count,
            endsWithCRLF: true,
            deliveries: [],
            perRecipient: true,
            receivedAt: now,
            queue: queue
        )
        guard case .appended = self.store.commit([.append(append)])[0] else {
            return self.ledger.violate("a store that works takes no message")
        }
        self.ledger.sent(entry.number, to: Set(entry.recipients.keys))
        self.ledger.accepted(entry.number)
        // In an order that the seed alone decides.
        let names = Set(queue.recipients.map { Destination($0.destination).text }).sorted()
        incarnation.engine.queued(names.map { Destination($0) })
    }

    func recipients() -> [(String, NotifyConditions)] {
        let names = ["ok", "fine", "odd.x", "grey", "gone", "full"]
        let conditions: [NotifyConditions] = [
            [], [], .never, .success, .failure, .delay, [.success, .failure], [.failure, .delay],
        ]
        var recipients: [String: NotifyConditions] = [:]
        for _ in 0...self.world.pick(5) {
            let domain = self.internet.domains[self.world.pick(self.internet.domains.count)]
            let name = "\(names[self.world.pick(names.count)])\(self.world.pick(5))"
            recipients["\(name)@\(domain.name)"] = conditions[self.world.pick(conditions.count)]
        }
        return recipients.sorted { $0.key < $1.key }
    }

    func reversePath() -> String {
        switch self.world.pick(6) {
        case 0: ""
        case 1: "ok@\(self.internet.domains[self.world.pick(self.internet.domains.count)].name)"
        default: self.senders[self.world.pick(self.senders.count)]
        }
    }

    func options() -> EnvelopeOptions {
        var options = EnvelopeOptions()
        if self.world.oneIn(4) { options.body = .eightBitMIME }
        if self.world.oneIn(8) { options.requiresTLS = true }
        if self.world.oneIn(4) { options.returnedContent = .full }
        if self.world.oneIn(4) { options.envelopeID = Array("id+2B1".utf8) }
        return options
    }

    func content(_ number: Int, _ options: EnvelopeOptions) -> [UInt8] {
        var lines = ["X-Number: \(number)", "Subject: simulated", ""]
        let isLarge = self.world.oneIn(10)
        for _ in 0..<(isLarge ? 200 + self.world.pick(1000) : self.world.pick(20)) {
            switch self.world.pick(6) {
            case 0: lines.append("")
            case 1: lines.append(".")
            case 2: lines.append("..dots")
            case 3 where options.body == .eightBitMIME: lines.append("acht Bit: ü")
            default: lines.append(String(repeating: "x", count: self.world.pick(100)))
            }
        }
        return Array(lines.map { "\($0)\r\n" }.joined().utf8)
    }
}
