// SPDX-License-Identifier: Apache-2.0
//
// What happens to the server of a simulation of delivery while it works: it stops, is killed, waits
// for its disk, and has operators.

internal import Delivery
internal import MailStore
internal import MailSyntax
internal import Server

extension QueueSimulation {
    func planEnd() {
        let time = self.world.between(0, 5 * 3600)
        self.world.after(seconds: time) { [unowned self] in
            if self.world.oneIn(2) { self.die() } else { self.stop() }
        }
    }

    /// A death that finds a delivery under way, at any step of it.
    func heard() {
        guard self.runsUntilDeath < .max else { return }
        self.runsUntilDeath -= 1
        guard self.runsUntilDeath <= 0 else { return }
        self.runsUntilDeath = self.world.oneIn(2) ? self.world.pick(200) : .max
        self.world.after(seconds: self.world.between(0, 0.3)) { [unowned self] in self.die() }
    }

    /// For some minutes nothing that happens becomes durable.
    func planStuckDisk() {
        self.world.after(seconds: self.world.between(0, Self.arrivalSeconds)) { [unowned self] in
            guard let storage = self.incarnation?.storage else { return }
            storage.isStuck = true
            self.world.after(seconds: self.world.between(1, 900)) { [weak storage] in
                storage?.isStuck = false
            }
        }
    }

    /// The process is killed, and some time later another one begins.
    func die() {
        guard let incarnation = self.incarnation.take() else { return }
        // What was taken by a host and is still in the queue will be sent again.
        for row in self.rows where row.state == .waiting || row.state == .held {
            self.forget(row)
        }
        self.bury(incarnation)
    }

    func bury(_ incarnation: Incarnation) {
        incarnation.storage.die()
        incarnation.connector.die()
        for stream in self.incoming {
            stream.handler = nil
            stream.reset()
        }
        self.incoming = []
        self.world.after(seconds: self.world.between(0, 600)) { [unowned self] in
            self.start(self.faults)
        }
    }

    /// The number of the message of a row.
    func number(of row: QueueRow) -> Int? {
        var octets: [UInt8] = []
        do throws(StoreError) {
            _ = try self.reader.queuedContent(
                row.position.message,
                offset: 0,
                max: 1000,
                into: &octets
            )
        } catch {
            return nil
        }
        return row.reversePath.isEmpty && octets.starts(with: QueueLedger.report)
            ? nil : QueueLedger.number(in: octets)
    }

    func forget(_ row: QueueRow) {
        guard let number = self.number(of: row) else { return }
        self.ledger.forgotten(number, by: String(decoding: row.address, as: UTF8.self))
    }

    func stop() {
        guard let incarnation = self.incarnation else { return }
        incarnation.engine.stop { [unowned self] in
            // Not from within the engine's own call.
            self.world.after(seconds: 0) { [unowned self] in self.stopped() }
        }
        self.world.after(seconds: 30) { [weak engine = incarnation.engine] in engine?.abort() }
    }

    func stopped() {
        guard let incarnation = self.incarnation.take() else { return }
        if incarnation.engine.connectionCount > 0 {
            self.ledger.violate("\(incarnation.engine.connectionCount) ways out outlive a stop")
        }
        self.bury(incarnation)
    }

    // MARK: - Operators

    func planInterference() {
        self.world.after(seconds: self.world.between(0, Self.arrivalSeconds)) { [unowned self] in
            guard let incarnation = self.incarnation else { return }
            let domain = self.internet.domains[self.world.pick(self.internet.domains.count)]
            var selector = QueueSelector()
            selector.destination = Array(domain.name.utf8)
            switch self.world.pick(4) {
            case 0:
                self.change(.retry, selector)
                incarnation.server.whenQueueChanged?()
            case 1:
                let destination = Destination(domain.name)
                _ = self.store.commit([
                    .wake(destination: destination.octets, now: self.world.wallClock)
                ])
                incarnation.engine.startQueue(of: [destination])
            case 2:
                self.change(.hold, selector)
                incarnation.server.whenQueueChanged?()
                self.world.after(seconds: self.world.between(60, 3000)) { [unowned self] in
                    self.change(.release, selector)
                    self.incarnation?.server.whenQueueChanged?()
                }
            default:
                self.remove(selector)
                incarnation.server.whenQueueChanged?()
            }
        }
    }

    func change(_ change: QueueChange, _ selector: QueueSelector) {
        var after: QueuePosition?
        repeat {
            let request = StoreRequest.changeQueue(
                change,
                selector,
                after: after,
                now: self.world.wallClock
            )
            guard case .queueChanged(_, let next) = self.store.commit([request])[0] else {
                return self.ledger.violate("a store that works does not change its queue")
            }
            after = next
        } while after != nil
    }

    /// Without a word: whoever waits is given up, and whoever has failed is not told of.
    func remove(_ selector: QueueSelector) {
        let rows = (try? self.reader.queueRows(selector, after: nil, count: 1000).rows) ?? []
        for row in rows {
            guard let number = self.number(of: row) else { continue }
            self.ledger.removed(number, String(decoding: row.address, as: UTF8.self))
        }
        self.change(.remove(reporting: false), selector)
    }
}
