// SPDX-License-Identifier: Apache-2.0
//
// Connections: who gets one, which message goes over it, and when it ends.

internal import MailSyntax

extension QueueScheduler {
    // MARK: - Opening

    /// Whether a destination wants a connection that it could use now.
    func wantsConnection(_ lane: DestinationLane, _ now: DeliveryTime) -> Bool {
        !lane.isGone && !self.isStopping && !lane.isResting && lane.verdict == nil
            && !lane.waitsToBeFetched && lane.isShortOfConnections && !self.shouldStepBack(lane)
            && lane.connectionCount < self.settings.connectionsPerDestinationMax
            && now.monotonic >= lane.openNotBefore && self.mayDeliver(lane, now)
    }

    /// Gives connections to those that wait for one, one at a time: first of all to those that
    /// have none.
    mutating func giveConnections(_ now: DeliveryTime, _ actions: inout [Action]) {
        while self.connections.count < self.settings.connectionsMax {
            if let lane = self.firstOpenings.popFirst() {
                lane.isWaitingForFirst = false
                self.open(for: lane, now, &actions)
            } else if let lane = self.furtherOpenings.popFirst() {
                lane.isWaitingForFurther = false
                self.open(for: lane, now, &actions)
            } else {
                return
            }
        }
        self.closeOldestIdle(
            self.firstOpenings.count + self.furtherOpenings.count - self.closingCount,
            &actions
        )
    }

    private mutating func open(
        for lane: DestinationLane,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        // What it wants may have changed while it waited; perhaps it has to step back by now.
        guard self.wantsConnection(lane, now) else { return self.serve(lane, now, &actions) }
        let id = self.makeConnectionID()
        self.connections[id] = DeliveryConnection(lane: lane, phase: .opening, isOffered: false)
        lane.connectionCount += 1
        lane.openingCount += 1
        actions.append(.open(id, lane.destination))
        // With another one wanted, it goes to the end of the row.
        self.serve(lane, now, &actions)
    }

    mutating func receiveReady(
        _ id: DeliveryConnectionID,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        guard let connection = self.connections[id], case .opening = connection.phase else {
            return
        }
        let lane = connection.lane
        lane.openingCount -= 1
        self.connections[id]?.readyAt = now.monotonic
        self.park(id, of: lane, now, &actions)
        self.serve(lane, now, &actions)
    }

    mutating func receiveOffer(
        _ id: DeliveryConnectionID,
        _ destination: Destination,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        guard self.connections[id] == nil else { return }
        let lane =
            self.lanes[destination]
            ?? self.enter(Due(destination), isOnDemand: self.isOnDemand(destination))
        var connection = DeliveryConnection(lane: lane, phase: .idle, isOffered: true)
        connection.readyAt = now.monotonic
        self.connections[id] = connection
        lane.connectionCount += 1
        self.park(id, of: lane, now, &actions)
        self.serve(lane, now, &actions)
    }

    // MARK: - Delivering

    /// Gives messages to the connections that wait for one.
    mutating func feedIdleConnections(
        of lane: DestinationLane,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        guard !self.isStopping, !lane.isResting, lane.verdict == nil else { return }
        while !lane.backlog.isEmpty, self.mayDeliver(lane, now), let id = lane.idle.popLast() {
            guard let claim = lane.backlog.popFirst() else { return }
            self.connections[id]?.phase = .busy(claim)
            self.spendRate(of: lane, now)
            actions.append(.deliver(id, lane.destination, claim.id))
        }
    }

    mutating func receiveFinished(
        _ id: DeliveryConnectionID,
        _ message: MessageID,
        _ consequence: DestinationConsequence,
        isReusable: Bool,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        guard let connection = self.connections[id], case .busy(let claim) = connection.phase,
            claim.id == message
        else { return }
        let lane = connection.lane
        lane.deliveredCount += 1
        self.connections[id]?.deliveredCount += 1
        self.judge(consequence, for: lane, now, &actions)
        if isReusable {
            self.park(id, of: lane, now, &actions)
        } else {
            self.connections[id]?.phase = .closing
            self.noteClosing(lane)
        }
        self.serve(lane, now, &actions)
    }

    /// Keeps a connection for the next message, or closes it when its turn is over.
    private mutating func park(
        _ id: DeliveryConnectionID,
        of lane: DestinationLane,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        guard let connection = self.connections[id] else { return }
        if self.isStopping || lane.isResting || lane.verdict != nil
            || self.isTurnOver(connection, now)
        {
            return self.close(id, of: lane, &actions)
        }
        self.connections[id]?.phase = .idle
        self.connections[id]?.idleSince = now.monotonic
        lane.idle.append(id)
        guard !connection.isInIdleRow else { return }
        self.connections[id]?.isInIdleRow = true
        self.idleConnections.append(IdlePlace(id: id, since: now.monotonic))
    }

    private func isTurnOver(_ connection: DeliveryConnection, _ now: DeliveryTime) -> Bool {
        guard connection.deliveredCount > 0 else { return false }
        if connection.deliveredCount >= self.settings.messagesPerConnectionMax { return true }
        return self.connections.count >= self.settings.connectionsMax
            && self.othersWait(for: connection.lane)
            && (connection.deliveredCount >= self.settings.messagesPerTurn
                || now.monotonic - connection.readyAt >= self.settings.secondsPerTurn)
    }

    // MARK: - Closing

    private mutating func close(
        _ id: DeliveryConnectionID,
        of lane: DestinationLane,
        _ actions: inout [Action]
    ) {
        self.connections[id]?.phase = .closing
        self.noteClosing(lane)
        actions.append(.close(id))
    }

    private mutating func noteClosing(_ lane: DestinationLane) {
        lane.closingCount += 1
        self.closingCount += 1
    }

    /// Closes the idle connections of a destination that has no use for them.
    mutating func closeUnneeded(
        _ lane: DestinationLane,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        guard !lane.idle.isEmpty else { return }
        let isOver = self.isStopping || lane.isResting || lane.verdict != nil
        let isEmpty = lane.backlog.isEmpty && !lane.hasMore && lane.claim == nil
        for id in lane.idle {
            // A peer that turned its connection round waits for the end of its mail.
            let isUnneeded = isOver || isEmpty && self.connections[id]?.isOffered ?? true
            if isUnneeded { self.close(id, of: lane, &actions) }
        }
        lane.idle.removeAll { !(self.connections[$0]?.isIdle ?? false) }
    }

    /// Closes so many of the connections that have been idle for longest.
    mutating func closeOldestIdle(_ count: Int, _ actions: inout [Action]) {
        var left = count
        while left > 0, let place = self.idleConnections.popFirst() {
            guard let connection = self.connections[place.id] else { continue }
            self.connections[place.id]?.isInIdleRow = false
            guard connection.isIdle else { continue }
            connection.lane.idle.removeAll { $0 == place.id }
            self.close(place.id, of: connection.lane, &actions)
            left -= 1
        }
    }

    /// Closes what was idle for too long.
    mutating func closeOverdueIdle(_ now: DeliveryTime, _ actions: inout [Action]) {
        while let place = self.idleConnections.first,
            place.since + self.settings.idleSecondsMax <= now.monotonic
        {
            _ = self.idleConnections.popFirst()
            guard let connection = self.connections[place.id] else { continue }
            guard connection.isIdle else {
                self.connections[place.id]?.isInIdleRow = false
                continue
            }
            if connection.idleSince + self.settings.idleSecondsMax > now.monotonic {
                // It had messages meanwhile.
                self.idleConnections.append(IdlePlace(id: place.id, since: connection.idleSince))
                continue
            }
            self.connections[place.id]?.isInIdleRow = false
            connection.lane.idle.removeAll { $0 == place.id }
            self.close(place.id, of: connection.lane, &actions)
        }
    }

    mutating func receiveEnd(
        of id: DeliveryConnectionID,
        _ failure: DestinationFailure?,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        guard let connection = self.connections.removeValue(forKey: id) else { return }
        let lane = connection.lane
        lane.connectionCount -= 1
        var failure = failure
        switch connection.phase {
        case .opening: lane.openingCount -= 1
        case .idle: lane.idle.removeAll { $0 == id }
        case .closing:
            lane.closingCount -= 1
            self.closingCount -= 1
        case .busy(let claim):
            lane.backlog.putBack(claim)
            // A connection that was reused may have been about to end anyway. A fresh one that
            // ends so has a reason, and would end so again.
            if connection.deliveredCount == 0, failure == nil {
                failure = DestinationFailure(
                    .noSession,
                    EnhancedStatus(4, 4, 2),
                    "the connection ended before its first message"
                )
            }
        }
        if let failure { self.strike(lane, failure, now, &actions) }
        self.serve(lane, now, &actions)
    }

    // MARK: - Rate

    /// Whether the rate of the destination lets another message go.
    func mayDeliver(_ lane: DestinationLane, _ now: DeliveryTime) -> Bool {
        self.settings.messagesPerDestinationSecond <= 0
            || self.rateTime(of: lane) <= now.monotonic
    }

    /// When the next message may go.
    ///
    /// A little early, so that a high rate does not need a timer for each message.
    func rateTime(of lane: DestinationLane) -> Double { lane.nextMessageAt - Self.burstSeconds }

    private func spendRate(of lane: DestinationLane, _ now: DeliveryTime) {
        guard self.settings.messagesPerDestinationSecond > 0 else { return }
        lane.nextMessageAt =
            max(lane.nextMessageAt, now.monotonic)
            + 1 / self.settings.messagesPerDestinationSecond
    }

    private static var burstSeconds: Double { 0.05 }
}
