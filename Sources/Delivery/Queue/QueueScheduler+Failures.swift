// SPDX-License-Identifier: Apache-2.0
//
// Good and bad news of a destination: how many connections it may have, and when it rests.

internal import MailSyntax

extension QueueScheduler {
    /// What a transaction tells of the destination.
    mutating func judge(
        _ consequence: DestinationConsequence,
        for lane: DestinationLane,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        switch consequence {
        case .faster:
            self.noteSuccess(lane, &actions)
            lane.limit = min(
                lane.limit + 1 / max(lane.limit, 1),
                Double(self.settings.connectionsPerDestinationMax)
            )
        case .none: self.noteSuccess(lane, &actions)
        case .slower:
            lane.limit = max(lane.limit / 2, 1)
            lane.strikes += 1
            guard lane.strikes >= self.settings.strikesMax, !lane.isResting else { return }
            let shortage = DestinationFailure(
                .noSession,
                EnhancedStatus(4, 4, 5),
                "the host puts off message after message"
            )
            self.layToRest(lane, shortage, now, &actions)
        }
    }

    private func noteSuccess(_ lane: DestinationLane, _ actions: inout [Action]) {
        lane.strikes = 0
        guard lane.failures > 0, !lane.isResting else { return }
        lane.failures = 0
        actions.append(.revive(lane.destination))
    }

    mutating func receiveFailure(
        of id: DeliveryConnectionID,
        _ failure: DestinationFailure,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        guard let connection = self.connections[id], case .opening = connection.phase else {
            return
        }
        self.connections[id] = nil
        let lane = connection.lane
        lane.connectionCount -= 1
        lane.openingCount -= 1
        // Where others get through, this one may have been unlucky with an answer of DNS.
        if failure.isPermanent, lane.readyCount == 0, lane.verdict == nil {
            lane.verdict = failure
        } else {
            self.strike(lane, failure, now, &actions)
        }
        self.serve(lane, now, &actions)
    }

    /// Bad news of a connection: fewer of them, a pause, and when it was the last hope, rest.
    mutating func strike(
        _ lane: DestinationLane,
        _ failure: DestinationFailure,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        guard !lane.isResting, lane.verdict == nil else { return }
        lane.strikes += 1
        lane.limit = max(lane.limit / 2, 1)
        let isLastHope = lane.readyCount == 0 && lane.openingCount == 0
        if isLastHope || lane.strikes >= self.settings.strikesMax {
            return self.layToRest(lane, failure, now, &actions)
        }
        lane.openNotBefore = now.monotonic + Double(lane.strikes)
    }

    /// Writes down that nothing is due before a time that grows with each failure, and lets the
    /// destination go as soon as nothing of it is under way.
    private mutating func layToRest(
        _ lane: DestinationLane,
        _ failure: DestinationFailure,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        lane.failures += 1
        lane.isResting = true
        let until =
            now.wallClock
            + self.settings.retries.seconds(
                afterFailures: lane.failures,
                random: self.random.next()
            )
        self.release(lane, &actions)
        actions.append(
            .rest(
                lane.destination,
                until: until,
                failures: lane.failures,
                reason: failure.text
            )
        )
        self.search.note(until)
    }

    /// Fails what waits for a destination that takes no mail for good.
    mutating func failBacklog(
        of lane: DestinationLane,
        _ verdict: DestinationFailure,
        _ actions: inout [Action]
    ) {
        let claims = lane.backlog.popAll()
        guard !claims.isEmpty else { return }
        lane.deliveredCount += claims.count
        actions.append(.failAll(lane.destination, claims.map(\.id), verdict))
    }
}
