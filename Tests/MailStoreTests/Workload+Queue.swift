// SPDX-License-Identifier: Apache-2.0
//
// What a life does to the queue, by chance.

@testable import MailStore
import MailSyntax

extension Workload {
    /// Seconds since 1970, later with every call.
    mutating func tick() -> Int64 {
        self.clock += 1
        return self.clock
    }

    private mutating func destination() -> [UInt8] {
        Array("host\(self.random.below(4)).example".utf8)
    }

    private mutating func status(_ statusClass: UInt8) -> EnhancedStatus {
        EnhancedStatus(statusClass, UInt16(self.random.below(8)), UInt16(self.random.below(30)))
    }

    /// Some recipients; some of them were delivered at once and want to know.
    mutating func submission(at now: Int64) -> QueueSubmission {
        var options = EnvelopeOptions()
        options.body = self.random.below(2) == 0 ? .eightBitMIME : .sevenBit
        options.needsUTF8 = self.random.below(4) == 0
        options.requiresTLS = self.random.below(4) == 0
        options.returnedContent = [.unspecified, .headers, .full][self.random.below(3)]
        options.envelopeID = self.random.below(2) == 0 ? [] : Array("id+2B\(now)".utf8)
        let recipients = (0..<(1 + self.random.below(4))).map { number in
            let destination = self.destination()
            return QueueRecipient(
                address: Array("Remote\(number)@".utf8) + destination,
                destination: destination,
                notify: [[], .never, [.success, .failure], .delay][self.random.below(4)],
                originalRecipient: self.random.below(2) == 0 ? [] : Array("rfc822;a@b".utf8),
                state: self.random.below(6) == 0 ? .delivered : .waiting
            )
        }
        return QueueSubmission(
            options: options,
            account: self.random.below(2) == 0 ? nil : AccountID(rawValue: 7),
            expiresAt: now + 1000 + Int64(self.random.below(1000)),
            warnAt: self.random.below(2) == 0 ? nil : now + Int64(self.random.below(2000)),
            recipients: recipients
        )
    }

    mutating func changeOfQueue() -> Operation {
        let now = self.tick()
        let ids = self.pending.queue.keys.sorted()
        guard !ids.isEmpty else { return self.rest(now) }
        let id = ids[self.random.below(ids.count)]
        switch self.random.below(10) {
        case 0: return self.rest(now)
        case 1: return self.wake(now)
        case 2: return self.change(now, id)
        case 3, 4: return self.endReports(id, now)
        default: return self.settle(id, now)
        }
    }

    private mutating func settle(_ id: UInt64, _ now: Int64) -> Operation {
        // The last number is that of nobody.
        let numbers = 0...(self.pending.queue[id]?.submission.recipients.count ?? 0)
        let recipients = numbers.filter { _ in self.random.below(3) > 0 }.map { number in
            QueueSettlement.Recipient(
                number: number,
                disposition: self.disposition(now),
                reply: Array("said at \(now)".utf8)
            )
        }
        let attempt = QueueAttempt(at: now, host: Array("mx.example".utf8), tls: [])
        let settlement = QueueSettlement(
            message: MessageID(rawValue: id),
            recipients: recipients,
            attempt: self.random.below(5) == 0 ? nil : attempt
        )
        return Operation(request: .settle([settlement])) { model, _ in model.settle(settlement) }
    }

    private mutating func disposition(_ now: Int64) -> QueueDisposition {
        switch self.random.below(6) {
        case 0: return .retry(at: now + Int64(self.random.below(300)), status: self.status(4))
        case 1: return .report(.failed, self.status(5))
        case 2: return .report(.relayed, self.status(2))
        default: return .removed
        }
    }

    private mutating func rest(_ now: Int64) -> Operation {
        let destination = self.destination()
        let until = now + Int64(self.random.below(600))
        let failures = self.random.below(5)
        let request = StoreRequest.rest(
            destination: destination,
            until: until,
            failures: failures,
            reason: Array("refused".utf8),
            at: self.random.below(2) == 0 ? nil : now
        )
        return Operation(request: request) { model, _ in
            model.rest(destination, until: until, failures: failures)
        }
    }

    private mutating func wake(_ now: Int64) -> Operation {
        let destination = self.random.below(2) == 0 ? nil : self.destination()
        return Operation(request: .wake(destination: destination, now: now)) { model, _ in
            model.wake(destination, now: now)
        }
    }

    private mutating func change(_ now: Int64, _ id: UInt64) -> Operation {
        var selector = QueueSelector()
        switch self.random.below(5) {
        case 0: selector.message = MessageID(rawValue: id)
        case 1: selector.destination = self.destination()
        case 2: selector.recipient = Array("remote1@".utf8) + self.destination()
        case 3: selector.queuedUntil = now - Int64(self.random.below(40))
        default: selector.state = self.random.below(2) == 0 ? .held : .failed
        }
        let changes: [QueueChange] = [
            .hold, .release, .retry, .remove(reporting: true), .remove(reporting: false),
        ]
        let change = changes[self.random.below(changes.count)]
        let request = StoreRequest.changeQueue(change, selector, after: nil, now: now)
        return Operation(request: request) { model, _ in
            model.change(change, selector, now: now)
        }
    }

    /// A report to a maildrop or into the queue, or none.
    private mutating func endReports(_ id: UInt64, _ now: Int64) -> Operation {
        let numbers = Array(0..<(self.pending.queue[id]?.submission.recipients.count ?? 0))
        let closing = QueueReportClosing(
            message: MessageID(rawValue: id),
            numbers: numbers.filter { _ in self.random.below(4) > 0 },
            warning: self.random.below(4) == 0
                ? .given(next: self.random.below(2) == 0 ? nil : now + 100) : .unchanged
        )
        guard self.random.below(2) == 0 else {
            return Operation(request: .closeReports(closing)) { model, _ in model.close(closing) }
        }
        let known = self.pending.maildrops.filter { $0.value.account != nil }
            .sorted { $0.key.text < $1.key.text }
        let chosen = self.random.below(2) == 0 ? Array(known.prefix(1)) : []
        var report = self.message(self.random.octets(self.random.below(3000)), at: now)
        report.reversePath = ""
        let submission = chosen.isEmpty ? self.submission(at: now) : nil
        let operation = self.append(report, ahead: 0, to: chosen, queue: submission)
        guard case .append(let append) = operation.request else { return operation }
        return Operation(
            request: .appendReport(append, closing: closing),
            refusal: operation.refusal
        ) { model, answer in
            operation.apply(&model, answer)
            model.close(closing)
        }
    }
}
