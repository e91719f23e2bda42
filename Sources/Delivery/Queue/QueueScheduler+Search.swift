// SPDX-License-Identifier: Apache-2.0
//
// Which destinations are due, and come into memory.

extension QueueScheduler {
    mutating func receiveQueued(
        _ destination: Destination,
        isWanted: Bool,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        guard !self.isStopping else { return }
        guard let lane = self.lanes[destination] else {
            if isWanted, self.wanted.count < self.settings.destinationsMax {
                self.wanted.insert(destination)
            }
            return self.search.noteQueued()
        }
        lane.isWanted = lane.isWanted || isWanted
        lane.hasMore = true
        lane.wasQueuedDuringClaim = lane.claim != nil
        lane.wasQueuedWhileResting = lane.isResting
        self.serve(lane, now, &actions)
    }

    mutating func receiveQueueChanged(_ now: DeliveryTime, _ actions: inout [Action]) {
        guard !self.isStopping else { return }
        self.search.noteQueued()
        for lane in self.lanesInOrder {
            self.release(lane, &actions)
            lane.hasMore = true
            lane.isClaimStale = lane.claim != nil
            lane.wasQueuedWhileResting = lane.isResting
            self.serve(lane, now, &actions)
        }
    }

    mutating func receiveDue(
        _ found: [Due],
        nextAt: Int64?,
        isComplete: Bool,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        // A time that is over already would be asked for again at once.
        self.search.receive(
            nextAt: nextAt.map { max($0, now.wallClock + 1) },
            isComplete: isComplete
        )
        guard !self.isStopping else { return }
        for due in found where self.lanes[due.destination] == nil {
            guard self.lanes.count < self.settings.destinationsMax else {
                self.search.mayFindMore = true
                break
            }
            let isOnDemand = self.isOnDemand(due.destination)
            if isOnDemand, !self.wanted.contains(due.destination) {
                self.layAside(due.destination, now, &actions)
                continue
            }
            let lane = self.enter(due, isOnDemand: isOnDemand)
            self.serve(lane, now, &actions)
        }
    }

    /// What is fetched by its owner must not be found over and over again.
    private mutating func layAside(
        _ destination: Destination,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        actions.append(
            .rest(
                destination,
                until: now.wallClock + Self.onDemandSeconds,
                failures: 0,
                reason: "waits until it is fetched"
            )
        )
    }

    mutating func enter(_ due: Due, isOnDemand: Bool) -> DestinationLane {
        let lane = DestinationLane(
            due,
            isOnDemand: isOnDemand,
            limit: Double(
                min(
                    max(self.settings.connectionsPerDestinationFirst, 1),
                    self.settings.connectionsPerDestinationMax
                )
            )
        )
        lane.isWanted = self.wanted.contains(due.destination)
        self.lanes[due.destination] = lane
        return lane
    }

    mutating func receiveSearchFailure(_ now: DeliveryTime) {
        self.search.receiveFailure()
        self.search.mayFindMore = true
        self.search.notBefore = now.monotonic + Self.storeSeconds
    }

    /// Asks for due destinations when there is room for them.
    mutating func searchDue(_ now: DeliveryTime, _ actions: inout [Action]) {
        guard !self.isStopping, !self.search.isPending else { return }
        self.search.advance(to: now)
        guard self.search.mayFindMore, now.monotonic >= self.search.notBefore else { return }
        let free = self.settings.destinationsMax - self.lanes.count
        guard free > 0 else { return self.closeOldestIdle(1 - self.closingCount, &actions) }
        // Each question names all that are in memory: it should bring in a good many others, but
        // must not let connections stand idle.
        guard free >= self.settings.destinationsMax / 8 || self.entries.isEmpty else { return }
        self.search.ask(at: now.monotonic)
        actions.append(.findDue(max: free, excluding: Array(self.lanes.keys)))
    }

    /// What is on demand is found again after so many seconds, and laid aside again.
    static var onDemandSeconds: Int64 { 86_400 }
}
