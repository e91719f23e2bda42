// SPDX-License-Identifier: Apache-2.0
//
// A life of a store by chance, the same for the same seed, and what the store should hold after
// each of its answers.

@testable import MailStore
import MailSyntax

/// Groups of requests, made up from what the store should hold.
struct Workload {
    /// One request and what it changes.
    struct Operation {
        let request: StoreRequest
        /// The failure that the store should answer.
        var refusal: StoreError?
        let apply: (inout StoreModel, StoreAnswer) -> Void
    }

    /// What the store should hold after the answers so far.
    var model = StoreModel()
    /// What it holds beside that when the group whose answer is outstanding has reached the disk.
    private(set) var pending = StoreModel()
    var random: Octets
    var clock: Int64 = 1_700_000_000
    private var nextID: UInt64 = 1_000_000
    private let names = ["anna", "bert", "carl", "dora", "emil"]
    /// Messages that are being staged.
    private var arriving: [(message: TestMessage, ahead: Int)] = []
    let largeOneIn: Int

    init(seed: UInt64, largeOneIn: Int = 12) {
        self.random = Octets(seed: seed)
        self.largeOneIn = largeOneIn
    }

    /// The next group, made on the assumption that all of it is carried out.
    mutating func nextGroup() -> [Operation] {
        self.pending = self.model
        let group = (0..<(1 + self.random.below(5))).map { _ in
            let operation = self.nextOperation()
            if operation.refusal == nil { operation.apply(&self.pending, .changed) }
            return operation
        }
        self.pending.forgetRests()
        return group
    }

    /// The store has answered; returns answers that were not expected.
    mutating func answered(_ group: [Operation], _ answers: [StoreAnswer]) -> [StoreAnswer] {
        var surprises: [StoreAnswer] = []
        for (operation, answer) in zip(group, answers) {
            if answer.failure != operation.refusal { surprises.append(answer) }
            if answer.isDone {
                operation.apply(&self.model, answer)
            } else if let id = operation.request.idOfPiece {
                // A piece is missing; the message cannot be completed.
                self.arriving.removeAll { $0.message.id == id.rawValue }
            }
        }
        self.model.forgetRests()
        return surprises
    }

    /// The process has ended: what was being staged is lost.
    mutating func restarted() { self.arriving = [] }

    mutating func learnIncarnations(from reader: MailStoreReader) throws(StoreError) {
        for (address, maildrop) in self.model.maildrops where maildrop.incarnation == nil {
            guard let account = maildrop.account else { continue }
            self.model.maildrops[address]?.incarnation =
                try reader.maildropHead(account).incarnation
        }
    }

    // MARK: - Operations

    private mutating func nextOperation() -> Operation {
        let known = self.pending.maildrops.filter { $0.value.account != nil }
            .sorted { $0.key.text < $1.key.text }
        guard known.count > 1 else { return self.addAccount() }
        switch self.random.below(32) {
        case 0: return self.addAccount()
        case 1: return self.removeAccount(known[self.random.below(known.count)].key)
        case 2: return self.setPassword(known[self.random.below(known.count)].key)
        case 3: return self.reserve()
        case 4: return self.changeAlias()
        case 5...8: return self.delete(known[self.random.below(known.count)])
        case 20...31: return self.changeOfQueue()
        default: return self.append(to: known)
        }
    }

    private mutating func addAccount() -> Operation {
        let name = self.names[self.random.below(self.names.count)]
        guard let address = Address(parsing: "\(name)@example.test") else {
            preconditionFailure("an address")
        }
        let verifier = self.random.octets(40)
        let quota = self.random.below(2) == 0 ? nil : 100_000 + self.random.below(100_000)
        let new = NewAccount(
            address: address,
            verifier: verifier,
            recoverableSecret: nil,
            quota: quota
        )
        let isTaken = self.pending.maildrops[address] != nil
        return Operation(request: .addAccount(new), refusal: isTaken ? .exists : nil) {
            var maildrop = StoreModel.Maildrop(verifier: verifier, quota: quota)
            if case .accountAdded(let id) = $1 { maildrop.account = id }
            $0.maildrops[address] = maildrop
        }
    }

    private func removeAccount(_ address: Address) -> Operation {
        Operation(request: .removeAccount(address)) { model, _ in model.maildrops[address] = nil }
    }

    private mutating func setPassword(_ address: Address) -> Operation {
        let verifier = self.random.octets(40)
        let request = StoreRequest.setPassword(
            address,
            verifier: verifier,
            recoverableSecret: nil
        )
        return Operation(request: request) { model, _ in
            model.maildrops[address]?.verifier = verifier
        }
    }

    private mutating func reserve() -> Operation {
        let count = 1 + self.random.below(1000)
        return Operation(request: .reserveMessageIDs(count: count)) { model, answer in
            if case .reserved(let first) = answer { model.reservedEnd = first + UInt64(count) }
        }
    }

    private mutating func changeAlias() -> Operation {
        let name = "list\(self.random.below(3))"
        guard let address = Address(parsing: "\(name)@example.test"),
            let target = Address(parsing: "user\(self.random.below(100))@example.test")
        else { preconditionFailure("an address") }
        guard self.pending.aliases[address] == nil else {
            return Operation(request: .removeAlias(address)) { model, _ in
                model.aliases[address] = nil
            }
        }
        return Operation(request: .addAlias(address, targets: [target])) { model, _ in
            model.aliases[address] = [target]
        }
    }

    private mutating func delete(
        _ known: (key: Address, value: StoreModel.Maildrop)
    ) -> Operation {
        let address = known.key
        var sequences: [UInt32] = []
        for message in known.value.messages where self.random.below(3) > 0 {
            sequences.append(message.sequence)
        }
        let request = StoreRequest.delete(
            known.value.account ?? AccountID(rawValue: 0),
            incarnation: known.value.incarnation ?? 0,
            sequences: sequences
        )
        return Operation(request: request) { model, _ in
            model.maildrops[address]?.messages.removeAll { sequences.contains($0.sequence) }
        }
    }

    private mutating func append(
        to known: [(key: Address, value: StoreModel.Maildrop)]
    ) -> Operation {
        if !self.arriving.isEmpty, self.random.below(2) == 0 { return self.goOn(known) }
        let now = self.tick()
        if self.random.below(self.largeOneIn) == 0 {
            let size = TestMessage.chunkOctets * (1 + self.random.below(2)) + self.random.below(99)
            self.arriving.append((self.message(self.random.octets(size), at: now), 0))
            return self.goOn(known)
        }
        let message = self.message(self.random.octets(self.random.below(12_000)), at: now)
        return self.append(message, ahead: 0, toSomeOf: known)
    }

    mutating func message(_ content: [UInt8], at now: Int64) -> TestMessage {
        self.nextID += 1
        var message = TestMessage(self.nextID, content)
        message.receivedAt = now
        return message
    }

    /// The next piece of a large message, its end, or its loss.
    private mutating func goOn(_ known: [(key: Address, value: StoreModel.Maildrop)]) -> Operation {
        let index = self.random.below(self.arriving.count)
        let (message, ahead) = self.arriving[index]
        if self.random.below(8) == 0 {
            self.arriving.remove(at: index)
            return Operation(request: .unstage(MessageID(rawValue: message.id))) { _, _ in }
        }
        let room = min(
            TestMessage.chunkOctets - ahead % TestMessage.chunkOctets,
            message.content.count - ahead
        )
        // The end may come while whole chunks are left.
        guard room > 0, self.random.below(6) > 0 else {
            self.arriving.remove(at: index)
            return self.append(message, ahead: ahead, toSomeOf: known)
        }
        let count = self.random.below(3) == 0 ? 1 + self.random.below(room) : room
        self.arriving[index].ahead += count
        return Operation(request: message.piece(at: ahead, octets: count)) { _, _ in }
    }

    /// For some maildrops, for the queue, or for both.
    private mutating func append(
        _ message: TestMessage,
        ahead: Int,
        toSomeOf known: [(key: Address, value: StoreModel.Maildrop)]
    ) -> Operation {
        let chosen = known.filter { _ in self.random.below(3) == 0 }
        if chosen.isEmpty || self.random.below(3) == 0 {
            let queue = self.submission(at: message.receivedAt)
            return self.append(message, ahead: ahead, to: chosen, queue: queue)
        }
        return self.append(message, ahead: ahead, to: chosen, queue: nil)
    }

    func append(
        _ message: TestMessage,
        ahead: Int,
        to chosen: [(key: Address, value: StoreModel.Maildrop)],
        queue: QueueSubmission?
    ) -> Operation {
        let accounts = chosen.compactMap(\.value.account)
        let addresses = chosen.map(\.key)
        let delivered = message.delivered
        let isOver = chosen.contains { _, maildrop in
            guard let quota = maildrop.quota else { return false }
            return self.pending.octets(of: maildrop) + delivered.count > quota
        }
        let request = message.append(to: accounts, after: ahead, queue: queue)
        return Operation(request: request, refusal: isOver ? .overQuota : nil) { model, _ in
            for address in addresses { model.deliver(message.id, delivered, to: address) }
            if let queue { model.enqueue(message, queue) }
        }
    }
}

extension StoreRequest {
    /// The message that goes ahead in pieces.
    fileprivate var idOfPiece: MessageID? {
        switch self {
        case .stage(let id, _, _), .spill(let id, _, _, _): id
        default: nil
        }
    }
}
