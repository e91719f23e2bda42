// SPDX-License-Identifier: Apache-2.0
//
// When which message goes over which connection: a reducer over what the store and the connections
// tell. The queue itself stays in the store, however long it is; here is only what is under way.

internal import MailSyntax

/// The order of deliveries.
///
/// ```
///  queued ─▶ findDue ─▶ dueFound: a destination enters, and waits for its turn
///            claim   ─▶ claimed: a window of its messages, senders in turn
///            open    ─▶ connectionReady, or connectionFailed: it rests
///            deliver ─▶ finished ─▶ settled: the message is forgotten
/// ```
///
/// **Memory.** Destinations, messages and octets of content have limits, and what is asked for
/// counts from the moment it is asked for. A destination leaves when nothing of it is due and its
/// last connection has ended.
///
/// **Fairness.** Destinations wait in a row for connections, and each gets one at a time. While
/// others wait, a connection ends after `messagesPerTurn`, and the longest idle one is closed; when
/// more destinations are due than fit into memory, one that had its turn goes behind them.
///
/// **Contract.** Each `findDue`, `claim`, `open` and `failAll` is answered once; a `deliver` by
/// `finished`, or by the end of its connection; what was finished is `settled` in the end. A
/// connection that was ready ends with `connectionEnded`, also after `close`, and counts until
/// then. Answers may come in any order and at any time. The number of actions that an event has is
/// bounded by the limits, and after each event either something is under way or a timer is set.
package struct QueueScheduler: ~Copyable {
    package let settings: QueueSchedulerSettings
    let isOnDemand: (Destination) -> Bool
    var random: SeededRandom

    var lanes: [Destination: DestinationLane] = [:]
    var connections: [DeliveryConnectionID: DeliveryConnection] = [:]
    private var connectionCounter: UInt64 = 0
    /// Connections that wait for a message, roughly in the order they began to; each once.
    var idleConnections = RingQueue<IdlePlace>()
    var closingCount = 0
    /// Messages and octets in memory, with what is set aside for claims.
    var messageCount = 0
    var octetCount = 0

    /// Destinations without a connection that want their first messages.
    var entries = RingQueue<DestinationLane>()
    /// Destinations that want more messages.
    var refills = RingQueue<DestinationLane>()
    var isRefillNext = false
    /// Destinations that have messages and want their first connection, before all others.
    var firstOpenings = RingQueue<DestinationLane>()
    /// Destinations that want one more.
    var furtherOpenings = RingQueue<DestinationLane>()
    /// Destinations that are about to have a connection: a claim is under way for their first one.
    var entering = 0

    var search: DueSearch
    var wanted: Set<Destination> = []
    var wakes = WakeHeap()
    /// When the timer fires, in monotonic seconds.
    var timerAt: Double?
    var isStopping = false

    /// A scheduler with nothing under way.
    ///
    /// `isOnDemand` tells whether a destination's mail waits to be fetched, and `seed` is any
    /// number, for the jitter of delays.
    package init(
        settings: QueueSchedulerSettings = QueueSchedulerSettings(),
        isOnDemand: @escaping (Destination) -> Bool = { _ in false },
        seed: UInt64
    ) {
        self.settings = settings
        self.isOnDemand = isOnDemand
        self.search = DueSearch(secondsMax: settings.searchSecondsMax)
        self.random = SeededRandom(seed: seed)
    }

    /// An id for a connection that is to be offered.
    package mutating func makeConnectionID() -> DeliveryConnectionID {
        self.connectionCounter += 1
        return DeliveryConnectionID(rawValue: self.connectionCounter)
    }

    /// Whether nothing is under way: no connection, no outcome that is not settled, no question.
    package var isIdle: Bool { self.lanes.isEmpty && !self.search.isPending }

    /// How many destinations, messages and octets are in memory, and how many connections there
    /// are.
    package var occupancy: Occupancy {
        Occupancy(
            destinations: self.lanes.count,
            messages: self.messageCount,
            octets: self.octetCount,
            connections: self.connections.count
        )
    }

    /// A place in the row of idle connections.
    struct IdlePlace {
        let id: DeliveryConnectionID
        /// When it was idle, in monotonic seconds; perhaps it was busy since.
        let since: Double
    }

    /// What the scheduler holds, to be shown.
    package struct Occupancy: Hashable, Sendable {
        package let destinations: Int
        package let messages: Int
        package let octets: Int
        package let connections: Int
    }

    /// Takes an event and appends what is to be done.
    package mutating func reduce(
        _ event: Event,
        now: DeliveryTime,
        into actions: inout [Action]
    ) {
        switch event {
        case .started: self.search.mayFindMore = true
        case .queued(let destination, let isWanted):
            self.receiveQueued(destination, isWanted: isWanted, now, &actions)
        case .queueChanged: self.receiveQueueChanged(now, &actions)
        case .dueFound(let found, let nextAt, let isComplete):
            self.receiveDue(found, nextAt: nextAt, isComplete: isComplete, now, &actions)
        case .findDueFailed: self.receiveSearchFailure(now)
        case .claimed(let destination, let claims, let isComplete):
            self.receiveClaims(destination, claims, isComplete: isComplete, now, &actions)
        case .claimFailed(let destination): self.receiveClaimFailure(destination, now, &actions)
        case .connectionReady(let id): self.receiveReady(id, now, &actions)
        case .connectionFailed(let id, let failure):
            self.receiveFailure(of: id, failure, now, &actions)
        case .connectionOffered(let id, let destination):
            self.receiveOffer(id, destination, now, &actions)
        case .finished(let id, let message, let consequence, let isReusable):
            self.receiveFinished(id, message, consequence, isReusable: isReusable, now, &actions)
        case .connectionEnded(let id, let failure):
            self.receiveEnd(of: id, failure, now, &actions)
        case .settled(let destination, let messages, let retryAt):
            self.receiveSettled(destination, messages, retryAt: retryAt, now, &actions)
        case .timerFired: self.receiveTimer(now, &actions)
        case .stopping: self.receiveStopping(now, &actions)
        }
        self.giveClaims(now, &actions)
        self.giveConnections(now, &actions)
        self.searchDue(now, &actions)
        self.armTimer(now, &actions)
    }

    // MARK: - One destination

    /// Does for a destination what can be done now, and puts it into the rows for the rest.
    mutating func serve(
        _ lane: DestinationLane,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        guard !lane.isGone else { return }
        self.claimAgainAfterLong(lane, now)
        if let verdict = lane.verdict { self.failBacklog(of: lane, verdict, &actions) }
        self.feedIdleConnections(of: lane, now, &actions)
        self.enqueue(lane, now)
        self.wakeLater(lane, now)
        self.closeUnneeded(lane, now, &actions)
        self.leave(lane, now, &actions)
    }

    /// Something may have become due while a destination was busy for long.
    private mutating func claimAgainAfterLong(_ lane: DestinationLane, _ now: DeliveryTime) {
        guard !lane.hasMore, let askedAt = lane.askedAt else { return }
        let again = askedAt + self.settings.searchSecondsMax
        if now.monotonic >= again { lane.hasMore = true } else { self.wake(lane, at: again) }
    }

    /// Puts a destination into the rows for what it wants.
    private mutating func enqueue(_ lane: DestinationLane, _ now: DeliveryTime) {
        if self.wantsClaim(lane, now) {
            if self.isEntry(lane) {
                if !lane.isWaitingForEntry { self.entries.append(lane) }
                lane.isWaitingForEntry = true
            } else {
                if !lane.isWaitingForRefill { self.refills.append(lane) }
                lane.isWaitingForRefill = true
            }
        }
        guard self.wantsConnection(lane, now) else { return }
        if lane.connectionCount == 0 {
            if !lane.isWaitingForFirst { self.firstOpenings.append(lane) }
            lane.isWaitingForFirst = true
        } else {
            if !lane.isWaitingForFurther { self.furtherOpenings.append(lane) }
            lane.isWaitingForFurther = true
        }
    }

    /// Whether another destination waits for a connection or for its turn to get one.
    func othersWait(for lane: DestinationLane) -> Bool {
        self.firstOpenings.count > (lane.isWaitingForFirst ? 1 : 0)
            || self.furtherOpenings.count > (lane.isWaitingForFurther ? 1 : 0)
            || self.entries.count > (lane.isWaitingForEntry ? 1 : 0)
    }

    /// Has a destination looked at again when the first of its waits is over.
    private mutating func wakeLater(_ lane: DestinationLane, _ now: DeliveryTime) {
        guard lane.hasMore || !lane.backlog.isEmpty, !lane.isResting, !self.isStopping else {
            return
        }
        for time in [lane.claimNotBefore, lane.openNotBefore, self.rateTime(of: lane)]
        where time > now.monotonic { self.wake(lane, at: time) }
    }

    /// Has a destination looked at again at that time.
    mutating func wake(_ lane: DestinationLane, at time: Double) {
        if let wakeAt = lane.wakeAt, wakeAt <= time { return }
        lane.wakeAt = time
        self.wakes.insert(WakeHeap.Wake(at: time, lane: lane))
    }

    /// Lets a destination go for which nothing is under way and nothing is to be done.
    private mutating func leave(
        _ lane: DestinationLane,
        _ now: DeliveryTime,
        _ actions: inout [Action]
    ) {
        guard lane.connectionCount == 0, lane.claim == nil,
            lane.held.count == lane.backlog.count
        else { return }
        if lane.isResting || self.isStopping {
            self.search.mayFindMore = self.search.mayFindMore || lane.wasQueuedWhileResting
        } else if lane.waitsToBeFetched {
            // Whoever fetched it has gone; its next look-up in the store lays it to rest.
            self.search.mayFindMore = true
        } else if lane.hasMore || !lane.backlog.isEmpty {
            guard self.shouldStepBack(lane) else { return }
            actions.append(
                .rest(
                    lane.destination,
                    until: now.wallClock + 1,
                    failures: 0,
                    reason: "others have their turn"
                )
            )
            self.search.note(now.wallClock + 1)
        } else if now.monotonic < lane.nextMessageAt {
            // Who left now would come back without a memory of its rate.
            return self.wake(lane, at: lane.nextMessageAt)
        }
        self.release(lane, &actions)
        // When its other messages are due the store did not tell while it was in memory: one
        // question a second asks for all that left.
        self.search.note(now.wallClock + 1)
        lane.isGone = true
        self.lanes[lane.destination] = nil
        self.wanted.remove(lane.destination)
    }

    /// All of them, in an order that does not hang on how they are hashed: the same events come to
    /// the same actions in every process.
    var lanesInOrder: [DestinationLane] {
        self.lanes.values.sorted {
            $0.destination.octets.lexicographicallyPrecedes($1.destination.octets)
        }
    }

    /// Whether a destination that had its turn should make room for one that is not in memory.
    func shouldStepBack(_ lane: DestinationLane) -> Bool {
        lane.connectionCount == 0 && lane.deliveredCount > 0 && lane.verdict == nil
            && self.search.mayFindMore
            && self.lanes.count >= self.settings.destinationsMax
    }

    /// Forgets the messages that wait.
    mutating func release(_ lane: DestinationLane, _ actions: inout [Action]) {
        let claims = lane.backlog.popAll()
        guard !claims.isEmpty else { return }
        for claim in claims { self.forget(claim.id, of: lane) }
        lane.hasMore = true
        actions.append(.release(lane.destination, claims.map(\.id)))
    }

    mutating func forget(_ message: MessageID, of lane: DestinationLane) {
        guard let octets = lane.held.removeValue(forKey: message) else { return }
        self.messageCount -= 1
        self.octetCount -= octets
    }
}
