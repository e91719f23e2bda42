// SPDX-License-Identifier: Apache-2.0
//
// From the store into memory and out of it: which messages are claimed, and when they are done.

internal import MailSyntax

extension QueueScheduler {
    /// Whether a claim would be the first step to the first connection.
    func isEntry(_ lane: DestinationLane) -> Bool {
        lane.connectionCount == 0 && lane.verdict == nil
    }

    func wantsClaim(_ lane: DestinationLane, _ now: DeliveryTime) -> Bool {
        guard !lane.isGone, !self.isStopping, !lane.isResting, lane.hasMore, lane.claim == nil,
            lane.backlog.count <= self.windowSize(lane) / 4,
            lane.held.count < self.settings.messagesPerDestinationMax,
            now.monotonic >= lane.claimNotBefore
        else { return false }
        guard self.isEntry(lane) else { return true }
        return !lane.waitsToBeFetched && !self.shouldStepBack(lane)
            && now.monotonic >= lane.openNotBefore && self.mayDeliver(lane, now)
    }

    /// So many messages of one destination are worth having: few of one that may be down, and no
    /// more than its share.
    private func windowSize(_ lane: DestinationLane) -> Int {
        let share = self.settings.messagesMax / (self.connections.count + 1)
        let wish = lane.deliveredCount > 0 || lane.verdict != nil ? Int.max : Self.firstClaimCount
        return min(wish, max(share, Self.claimCountMin), self.settings.messagesPerDestinationMax)
    }

    /// Gives claims to those that wait for them, as far as memory reaches: one that has a
    /// connection, one that has none, in turn.
    mutating func giveClaims(_ now: DeliveryTime, _ actions: inout [Action]) {
        guard !self.isStopping else { return }
        while self.messageCount < self.settings.messagesMax,
            self.settings.octetsMax - self.octetCount >= self.octetsMin
        {
            self.isRefillNext.toggle()
            if self.isRefillNext || !self.hasRoomToEnter, let lane = self.refills.popFirst() {
                lane.isWaitingForRefill = false
                self.claimIfWanted(lane, now, &actions)
            } else if self.hasRoomToEnter, let lane = self.entries.popFirst() {
                lane.isWaitingForEntry = false
                self.claimIfWanted(lane, now, &actions)
            } else if self.refills.isEmpty {
                return
            }
        }
    }

    /// Whether a destination that claims now will get a connection soon.
    private var hasRoomToEnter: Bool {
        let free = max(self.settings.connectionsMax - self.connections.count, 0)
        return self.entering + self.firstOpenings.count < free + Self.lookaheadCount
    }

    private var octetsMin: Int {
        min(Self.octetsPerMessage, self.settings.octetsPerClaimMax, self.settings.octetsMax)
    }

    private mutating func claimIfWanted(
        _ lane: DestinationLane,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        // What it wants may have changed while it waited; perhaps it has to step back by now.
        guard self.wantsClaim(lane, now) else { return self.serve(lane, now, &actions) }
        self.claim(lane, now, &actions)
    }

    private mutating func claim(
        _ lane: DestinationLane,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        let count = min(
            max(self.windowSize(lane) - lane.backlog.count, 1),
            self.settings.messagesPerDestinationMax - lane.held.count,
            self.settings.messagesMax - self.messageCount
        )
        // Of what cannot be delivered nobody reads the content.
        let octets =
            lane.verdict != nil
            ? 0
            : min(
                count * Self.octetsPerMessage,
                self.settings.octetsPerClaimMax,
                self.settings.octetsMax - self.octetCount
            )
        if self.isEntry(lane) { self.entering += 1 }
        lane.claim = DestinationLane.Reservation(
            count: count,
            octets: octets,
            isEntry: self.isEntry(lane)
        )
        lane.askedAt = now.monotonic
        lane.wasQueuedDuringClaim = false
        lane.isClaimStale = false
        self.messageCount += count
        self.octetCount += octets
        actions.append(
            .claim(
                lane.destination,
                max: count,
                octetsMax: octets,
                excluding: Array(lane.held.keys)
            )
        )
    }

    /// Ends a claim, and gives back what was set aside for it.
    private mutating func endClaim(of destination: Destination) -> DestinationLane? {
        guard let lane = self.lanes[destination], let claim = lane.claim else { return nil }
        self.messageCount -= claim.count
        self.octetCount -= claim.octets
        if claim.isEntry { self.entering -= 1 }
        lane.claim = nil
        return lane
    }

    mutating func receiveClaims(
        _ destination: Destination,
        _ claims: [Claim],
        isComplete: Bool,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        guard let lane = self.endClaim(of: destination) else { return }
        if self.isStopping || lane.isResting || lane.isClaimStale {
            let unknown = claims.map(\.id).filter { lane.held[$0] == nil }
            if !unknown.isEmpty { actions.append(.release(destination, unknown)) }
            lane.hasMore = true
            return self.serve(lane, now, &actions)
        }
        var isFruitless = true
        for claim in claims where lane.held[claim.id] == nil {
            isFruitless = false
            self.keep(claim, for: lane)
        }
        lane.hasMore = !isComplete || lane.wasQueuedDuringClaim
        if isFruitless { self.receiveNothing(lane, isComplete: isComplete, now, &actions) }
        self.serve(lane, now, &actions)
    }

    private mutating func keep(_ claim: Claim, for lane: DestinationLane) {
        lane.hasEverClaimed = true
        lane.held[claim.id] = claim.octets
        lane.backlog.append(claim)
        if claim.isPartial { lane.partial.insert(claim.id) }
        self.messageCount += 1
        self.octetCount += claim.octets
    }

    /// What was said to be due is not: without a pause and a correction, both questions would be
    /// asked again for ever.
    private mutating func receiveNothing(
        _ lane: DestinationLane,
        isComplete: Bool,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        if lane.hasMore { self.postponeClaim(of: lane, now) }
        guard isComplete, !lane.hasMore, !lane.hasEverClaimed else { return }
        actions.append(.revive(lane.destination))
        self.search.notBefore = now.monotonic + Self.storeSeconds
    }

    mutating func receiveClaimFailure(
        _ destination: Destination,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        guard let lane = self.endClaim(of: destination) else { return }
        lane.hasMore = true
        self.postponeClaim(of: lane, now)
        self.serve(lane, now, &actions)
    }

    private mutating func postponeClaim(of lane: DestinationLane, _ now: DeliveryTime) {
        lane.claimNotBefore = now.monotonic + Self.storeSeconds
        self.wake(lane, at: lane.claimNotBefore)
    }

    mutating func receiveSettled(
        _ destination: Destination,
        _ messages: [MessageID],
        retryAt: Int64?,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        guard let lane = self.lanes[destination] else {
            if let retryAt { self.search.note(retryAt) }
            return
        }
        for message in messages {
            self.forget(message, of: lane)
            if lane.partial.remove(message) != nil { lane.hasMore = true }
        }
        if let retryAt, retryAt <= now.wallClock {
            lane.hasMore = true
        } else if let retryAt {
            self.search.note(retryAt)
        }
        self.serve(lane, now, &actions)
    }

    // MARK: - Figures

    /// A store that failed is asked again after so many seconds.
    static var storeSeconds: Double { 1 }
    /// The first claim of a destination, of which nobody knows yet whether it can be reached.
    private static var firstClaimCount: Int { 10 }
    private static var claimCountMin: Int { 8 }
    /// So much content is expected of a message, for the octets that a claim sets aside.
    private static var octetsPerMessage: Int { 1 << 16 }
    /// So many destinations may have messages ready before a connection is free for them.
    private static var lookaheadCount: Int { 16 }
}
