// SPDX-License-Identifier: Apache-2.0

import MailSyntax
import Testing

@testable import Delivery

/// A scheduler told as a story: what happened, and what was done, one word group an action.
final class QueueStory {
    private var scheduler: QueueScheduler
    private(set) var time = DeliveryTime(monotonic: 100, wallClock: 1000)
    private(set) var timerAt: Double?

    init(
        onDemand: Set<String> = [],
        _ change: (inout QueueSchedulerSettings) -> Void = { _ in }
    ) {
        var settings = QueueSchedulerSettings()
        // Without spread: an eighth of 8 is 1, and any number modulo 3 would show.
        settings.retries.secondsMin = 1
        settings.retries.secondsMax = 1
        change(&settings)
        self.scheduler = QueueScheduler(
            settings: settings,
            isOnDemand: { onDemand.contains($0.text) },
            seed: 1
        )
    }

    var occupancy: QueueScheduler.Occupancy { self.scheduler.occupancy }
    var isIdle: Bool { self.scheduler.isIdle }

    func makeConnectionID() -> DeliveryConnectionID { self.scheduler.makeConnectionID() }

    func wait(_ seconds: Double) {
        self.time.monotonic += seconds
        self.time.wallClock = 1000 + Int64(self.time.monotonic - 100)
    }

    /// What is done, timers aside.
    func callAsFunction(_ event: QueueScheduler.Event) -> [String] {
        var actions: [QueueScheduler.Action] = []
        if case .timerFired = event { self.timerAt = nil }
        self.scheduler.reduce(event, now: self.time, into: &actions)
        return actions.compactMap { self.words($0) }
    }

    private func words(_ action: QueueScheduler.Action) -> String? {
        switch action {
        case .findDue(_, let known):
            return known.isEmpty
                ? "find" : "find but " + known.map(\.text).sorted().joined(separator: " ")
        case .claim(let destination, _, _, let known):
            let numbers = known.map(\.rawValue).sorted().map(String.init)
            return (["claim", destination.text] + (numbers.isEmpty ? [] : ["but"] + numbers))
                .joined(separator: " ")
        case .release(let destination, let messages):
            return "release \(destination.text) \(Self.list(messages))"
        case .open(let id, let destination): return "open \(id.rawValue) \(destination.text)"
        case .deliver(let id, let destination, let message):
            return "deliver \(id.rawValue) \(destination.text) \(message.rawValue)"
        case .close(let id): return "close \(id.rawValue)"
        case .rest(let destination, let until, let failures, let reason):
            return "rest \(destination.text) +\(until - self.time.wallClock) \(failures) \(reason)"
        case .revive(let destination): return "revive \(destination.text)"
        case .failAll(let destination, let messages, let failure):
            return "fail \(destination.text) \(Self.list(messages)) \(failure.status)"
        case .setTimer(let seconds):
            self.timerAt = self.time.monotonic + seconds
            return nil
        }
    }

    private static func list(_ messages: [MessageID]) -> String {
        messages.map { String($0.rawValue) }.joined(separator: ",")
    }
}

private func destination(_ text: String) -> Destination { Destination(text) }

private func message(_ number: UInt64) -> MessageID { MessageID(rawValue: number) }

private func connection(_ number: UInt64) -> DeliveryConnectionID {
    DeliveryConnectionID(rawValue: number)
}

private func claims(_ numbers: [UInt64], sender: UInt64 = 1) -> [QueueScheduler.Claim] {
    numbers.map {
        QueueScheduler.Claim(message($0), octets: 100, sender: sender, isPartial: false)
    }
}

private func found(_ names: [String]) -> QueueScheduler.Event {
    .dueFound(names.map { QueueScheduler.Due(Destination($0)) }, nextAt: nil, isComplete: true)
}

private func finished(
    _ id: UInt64,
    _ number: UInt64,
    _ consequence: DestinationConsequence = .faster,
    isReusable: Bool = true
) -> QueueScheduler.Event {
    .finished(connection(id), message(number), consequence, isReusable: isReusable)
}

private let down = DestinationFailure(.unreachable, EnhancedStatus(4, 4, 1), "no answer")
private let gone = DestinationFailure(.noSuchDomain, EnhancedStatus(5, 1, 2), "no such domain")

@Suite struct QueueSchedulerTests {
    /// One message from the queue to the other server.
    @Test func messageIsDelivered() {
        let story = QueueStory()
        #expect(story(.started) == ["find"])
        #expect(story(found(["a.test"])) == ["claim a.test"])
        #expect(
            story(.claimed(destination("a.test"), claims([7]), isComplete: true))
                == ["open 1 a.test"]
        )
        #expect(story(.connectionReady(connection(1))) == ["deliver 1 a.test 7"])
        #expect(story(finished(1, 7)) == [])
        #expect(story(.settled(destination("a.test"), [message(7)], retryAt: nil)) == [])
        #expect(story.occupancy.messages == 0)
        // The connection is kept for a while, then closed, and the destination is forgotten.
        story.wait(5)
        #expect(story(.timerFired) == ["close 1"])
        #expect(story(.connectionEnded(connection(1), nil)) == [])
        #expect(story.occupancy.destinations == 0)
        #expect(story.isIdle)
    }

    @Test func connectionIsUsedAgain() {
        let story = QueueStory()
        _ = story(.started)
        _ = story(found(["a.test"]))
        _ = story(.claimed(destination("a.test"), claims([7]), isComplete: true))
        _ = story(.connectionReady(connection(1)))
        _ = story(finished(1, 7))
        #expect(
            story(.queued(destination("a.test"), isWanted: false)) == ["claim a.test but 7"]
        )
        #expect(
            story(.claimed(destination("a.test"), claims([8]), isComplete: true))
                == ["deliver 1 a.test 8"]
        )
    }

    @Test func connectionHasAnEndOfMessages() {
        let story = QueueStory {
            $0.messagesPerConnectionMax = 2
            $0.connectionsPerDestinationMax = 1
        }
        _ = story(.started)
        _ = story(found(["a.test"]))
        _ = story(.claimed(destination("a.test"), claims([1, 2, 3]), isComplete: true))
        #expect(story(.connectionReady(connection(1))) == ["deliver 1 a.test 1"])
        #expect(story(finished(1, 1)) == ["deliver 1 a.test 2"])
        #expect(story(finished(1, 2)) == ["close 1"])
        #expect(story(.connectionEnded(connection(1), nil)) == ["open 2 a.test"])
    }

    // MARK: - Fairness

    @Test func sendersTakeTurns() {
        let story = QueueStory { $0.connectionsPerDestinationMax = 1 }
        _ = story(.started)
        _ = story(found(["a.test"]))
        let all =
            claims([1, 2, 3, 4], sender: 1) + claims([11, 12], sender: 2)
            + claims([21], sender: 3)
        _ = story(.claimed(destination("a.test"), all, isComplete: true))
        var order = story(.connectionReady(connection(1)))
        for _ in 0..<6 {
            guard let number = order.last?.split(separator: " ").last.flatMap({ UInt64($0) })
            else { break }
            order += story(finished(1, number))
        }
        #expect(
            order == [1, 11, 21, 2, 12, 3, 4].map { "deliver 1 a.test \($0)" }
        )
    }

    /// One destination with no end of mail, and one connection for all: the others get it in turn.
    @Test func destinationsTakeTurns() {
        let story = QueueStory {
            $0.connectionsMax = 1
            $0.messagesPerTurn = 2
        }
        _ = story(.started)
        #expect(
            story(found(["big.test", "small.test"])) == ["claim big.test", "claim small.test"]
        )
        #expect(
            story(.claimed(destination("big.test"), claims([1, 2, 3, 4]), isComplete: false))
                == ["open 1 big.test"]
        )
        #expect(story(.claimed(destination("small.test"), claims([9]), isComplete: true)) == [])
        #expect(story(.connectionReady(connection(1))) == ["deliver 1 big.test 1"])
        #expect(
            story(finished(1, 1)) == ["deliver 1 big.test 2", "claim big.test but 1 2 3 4"]
        )
        #expect(story(finished(1, 2)) == ["close 1"])
        #expect(story(.connectionEnded(connection(1), nil)) == ["open 2 small.test"])
        #expect(story(.connectionReady(connection(2))) == ["deliver 2 small.test 9"])
        // Nothing more for it: the connection does not stand idle while another waits.
        #expect(story(finished(2, 9)) == ["close 2"])
        #expect(story(.connectionEnded(connection(2), nil)) == ["open 3 big.test"])
    }

    @Test func slowDestinationHasATurnByTime() {
        let story = QueueStory {
            $0.connectionsMax = 1
            $0.messagesPerTurn = 100
        }
        _ = story(.started)
        _ = story(found(["slow.test", "other.test"]))
        _ = story(.claimed(destination("slow.test"), claims([1, 2, 3]), isComplete: true))
        _ = story(.claimed(destination("other.test"), claims([9]), isComplete: true))
        _ = story(.connectionReady(connection(1)))
        story.wait(4)
        #expect(story(finished(1, 1)) == ["deliver 1 slow.test 2"])
        story.wait(7)
        #expect(story(finished(1, 2)) == ["close 1"])
        #expect(story(.connectionEnded(connection(1), nil)) == ["open 2 other.test"])
    }

    /// More destinations are due than fit into memory: who had his turn makes room.
    @Test func destinationStepsBackForThoseThatAreNotInMemory() {
        let story = QueueStory {
            $0.connectionsMax = 1
            $0.destinationsMax = 1
            $0.messagesPerConnectionMax = 1
        }
        #expect(story(.started) == ["find"])
        let first = QueueScheduler.Event.dueFound(
            [QueueScheduler.Due(destination("big.test"))],
            nextAt: nil,
            isComplete: false
        )
        #expect(story(first) == ["claim big.test"])
        _ = story(.claimed(destination("big.test"), claims([1, 2]), isComplete: false))
        _ = story(.connectionReady(connection(1)))
        #expect(story(finished(1, 1)) == ["close 1"])
        _ = story(.settled(destination("big.test"), [message(1)], retryAt: nil))
        #expect(story(.connectionEnded(connection(1), nil)) == [])
        #expect(
            story(.claimed(destination("big.test"), claims([3]), isComplete: false))
                == [
                    "rest big.test +1 0 others have their turn", "release big.test 2,3", "find",
                ]
        )
        #expect(story(found(["small.test"])) == ["claim small.test"])
    }

    // MARK: - How many connections

    @Test func successBringsMoreConnections() {
        let story = QueueStory { $0.connectionsPerDestinationMax = 3 }
        _ = story(.started)
        _ = story(found(["a.test"]))
        #expect(
            story(
                .claimed(
                    destination("a.test"),
                    claims([1, 2, 3, 4, 5, 6, 7, 8, 9]),
                    isComplete: true
                )
            )
                == ["open 1 a.test", "open 2 a.test"]
        )
        #expect(story(.connectionReady(connection(1))) == ["deliver 1 a.test 1"])
        #expect(story(finished(1, 1)) == ["deliver 1 a.test 2"])
        #expect(story(finished(1, 2)) == ["deliver 1 a.test 3"])
        #expect(story(finished(1, 3)) == ["deliver 1 a.test 4", "open 3 a.test"])
        #expect(story(finished(1, 4)) == ["deliver 1 a.test 5"])
    }

    @Test func shortageBringsFewer() {
        let story = QueueStory()
        _ = story(.started)
        _ = story(found(["a.test"]))
        _ = story(.claimed(destination("a.test"), claims([1, 2, 3, 4]), isComplete: true))
        _ = story(.connectionReady(connection(1)))
        _ = story(.connectionReady(connection(2)))
        #expect(story(finished(1, 1, .slower, isReusable: false)) == [])
        // One of one: nothing new is opened.
        #expect(story(.connectionEnded(connection(1), nil)) == [])
        #expect(story(finished(2, 2, .faster)) == ["deliver 2 a.test 3", "open 3 a.test"])
    }

    @Test func noMoreConnectionsThanMessages() {
        let story = QueueStory { $0.connectionsPerDestinationFirst = 10 }
        _ = story(.started)
        _ = story(found(["a.test"]))
        #expect(
            story(.claimed(destination("a.test"), claims([1, 2]), isComplete: true))
                == ["open 1 a.test", "open 2 a.test"]
        )
    }

    // MARK: - Failures

    @Test func destinationThatFailsRestsAsAWhole() {
        let story = QueueStory { $0.connectionsPerDestinationFirst = 1 }
        _ = story(.started)
        _ = story(found(["a.test"]))
        _ = story(.claimed(destination("a.test"), claims([1, 2, 3]), isComplete: false))
        #expect(
            story(.connectionFailed(connection(1), down))
                == ["release a.test 1,2,3", "rest a.test +1 1 no answer"]
        )
        #expect(story.occupancy.destinations == 0)
        #expect(story.occupancy.messages == 0)
        // Its time is known: the store is asked when it is over, and not before.
        #expect(story.timerAt == 101)
        #expect(story(.queued(destination("a.test"), isWanted: false)) == ["find"])
        #expect(story(.dueFound([], nextAt: 1001, isComplete: true)) == [])
        story.wait(1)
        #expect(story(.timerFired) == ["find"])
        let again = QueueScheduler.Event.dueFound(
            [QueueScheduler.Due(destination("a.test"), failures: 1)],
            nextAt: nil,
            isComplete: true
        )
        #expect(story(again) == ["claim a.test"])
        // It is felt for with one connection; the first success ends its failures.
        #expect(
            story(.claimed(destination("a.test"), claims([1, 2, 3]), isComplete: true))
                == ["open 2 a.test"]
        )
        #expect(story(.connectionReady(connection(2))) == ["deliver 2 a.test 1"])
        #expect(
            story(finished(2, 1)) == ["revive a.test", "deliver 2 a.test 2", "open 3 a.test"]
        )
    }

    @Test func failuresAreCountedOn() {
        let story = QueueStory()
        _ = story(.started)
        _ = story(
            .dueFound(
                [QueueScheduler.Due(destination("a.test"), failures: 6)],
                nextAt: nil,
                isComplete: true
            )
        )
        _ = story(.claimed(destination("a.test"), claims([1]), isComplete: true))
        #expect(
            story(.connectionFailed(connection(1), down))
                == ["release a.test 1", "rest a.test +1 7 no answer"]
        )
    }

    @Test func destinationWithOneConnectionThatWorksDoesNotRest() {
        let story = QueueStory()
        _ = story(.started)
        _ = story(found(["a.test"]))
        _ = story(.claimed(destination("a.test"), claims([1, 2, 3]), isComplete: true))
        _ = story(.connectionReady(connection(1)))
        #expect(story(.connectionFailed(connection(2), down)) == [])
        #expect(story(finished(1, 1)) == ["deliver 1 a.test 2"])
        // After a pause another one is tried.
        #expect(story.timerAt == 101)
        story.wait(1)
        #expect(story(.timerFired) == ["open 3 a.test"])
    }

    @Test func firstFailureWaitsForTheOtherConnections() {
        let story = QueueStory()
        _ = story(.started)
        _ = story(found(["a.test"]))
        _ = story(.claimed(destination("a.test"), claims([1, 2, 3]), isComplete: true))
        #expect(story(.connectionFailed(connection(1), down)) == [])
        #expect(
            story(.connectionFailed(connection(2), down))
                == ["release a.test 1,2,3", "rest a.test +1 1 no answer"]
        )
    }

    @Test func bluntRefusalOfOneMessageAfterTheOtherIsRest() {
        let story = QueueStory {
            $0.connectionsPerDestinationFirst = 1
            $0.strikesMax = 3
        }
        _ = story(.started)
        _ = story(found(["a.test"]))
        _ = story(.claimed(destination("a.test"), claims([1, 2, 3, 4, 5]), isComplete: true))
        _ = story(.connectionReady(connection(1)))
        #expect(story(finished(1, 1, .slower)) == ["deliver 1 a.test 2"])
        #expect(story(finished(1, 2, .slower)) == ["deliver 1 a.test 3"])
        #expect(
            story(finished(1, 3, .slower))
                == [
                    "release a.test 4,5",
                    "rest a.test +1 1 the host puts off message after message", "close 1",
                ]
        )
    }

    @Test func domainThatDoesNotExistFailsAllItsMessages() {
        let story = QueueStory()
        _ = story(.started)
        _ = story(found(["a.test"]))
        #expect(
            story(.claimed(destination("a.test"), claims([1, 4, 5]), isComplete: false))
                == ["open 1 a.test", "open 2 a.test"]
        )
        #expect(
            story(.connectionFailed(connection(1), gone))
                == ["fail a.test 1,4,5 5.1.2", "claim a.test but 1 4 5"]
        )
        #expect(story(.connectionFailed(connection(2), gone)) == [])
        #expect(
            story(.claimed(destination("a.test"), claims([2, 3]), isComplete: true))
                == ["fail a.test 2,3 5.1.2"]
        )
        #expect(story(.settled(destination("a.test"), [message(1)], retryAt: nil)) == [])
        #expect(
            story(
                .settled(
                    destination("a.test"),
                    [2, 3, 4, 5].map { message($0) },
                    retryAt: nil
                )
            ) == []
        )
        #expect(story.occupancy.destinations == 0)
    }

    // MARK: - Connections that end

    /// A peer closed an idle connection just when it got a message: nobody is to blame.
    @Test func messageOfAnOldConnectionGoesOverANewOne() {
        let story = QueueStory { $0.connectionsPerDestinationMax = 1 }
        _ = story(.started)
        _ = story(found(["a.test"]))
        _ = story(.claimed(destination("a.test"), claims([1, 2]), isComplete: true))
        _ = story(.connectionReady(connection(1)))
        _ = story(finished(1, 1))
        #expect(story(.connectionEnded(connection(1), nil)) == ["open 2 a.test"])
        #expect(story(.connectionReady(connection(2))) == ["deliver 2 a.test 2"])
        // A new one that ends the same way is a failure.
        #expect(
            story(.connectionEnded(connection(2), nil))
                == [
                    "release a.test 2",
                    "rest a.test +1 1 the connection ended before its first message",
                ]
        )
    }

    @Test func idleConnectionThatEndsIsForgotten() {
        let story = QueueStory()
        _ = story(.started)
        _ = story(found(["a.test"]))
        _ = story(.claimed(destination("a.test"), claims([1]), isComplete: true))
        _ = story(.connectionReady(connection(1)))
        _ = story(finished(1, 1))
        _ = story(.settled(destination("a.test"), [message(1)], retryAt: nil))
        #expect(story(.connectionEnded(connection(1), nil)) == [])
        #expect(story.isIdle)
        // Whatever is said of it later changes nothing.
        #expect(story(.connectionEnded(connection(1), down)) == [])
        #expect(story(.connectionReady(connection(1))) == [])
        #expect(story(finished(1, 1)) == [])
        #expect(story(.connectionFailed(connection(1), down)) == [])
    }

    // MARK: - Rate

    @Test func rateIsKept() {
        let story = QueueStory {
            $0.messagesPerDestinationSecond = 0.5
            $0.connectionsPerDestinationFirst = 1
        }
        _ = story(.started)
        _ = story(found(["a.test"]))
        _ = story(.claimed(destination("a.test"), claims([1, 2, 3]), isComplete: true))
        #expect(story(.connectionReady(connection(1))) == ["deliver 1 a.test 1"])
        #expect(story(finished(1, 1)) == [])
        story.wait(1)
        #expect(story(.timerFired) == [])
        story.wait(1)
        #expect(story(.timerFired) == ["deliver 1 a.test 2"])
        #expect(story(finished(1, 2)) == [])
        #expect(story(.connectionEnded(connection(1), nil)) == [])
        story.wait(2)
        #expect(story(.timerFired) == ["open 2 a.test"])
    }

    // MARK: - On demand

    @Test func mailOnDemandIsLaidAside() {
        let story = QueueStory(onDemand: ["dial.test"])
        _ = story(.started)
        #expect(
            story(found(["dial.test"])) == ["rest dial.test +86400 0 waits until it is fetched"]
        )
        #expect(story.isIdle)
    }

    @Test func mailOnDemandGoesOutWhenItIsAskedFor() {
        let story = QueueStory(onDemand: ["dial.test"])
        _ = story(.started)
        _ = story(found([]))
        #expect(story(.queued(destination("dial.test"), isWanted: true)) == ["find"])
        #expect(story(found(["dial.test"])) == ["claim dial.test"])
        #expect(
            story(.claimed(destination("dial.test"), claims([1]), isComplete: true))
                == ["open 1 dial.test"]
        )
        #expect(story(.connectionReady(connection(1))) == ["deliver 1 dial.test 1"])
        _ = story(finished(1, 1))
        _ = story(.settled(destination("dial.test"), [message(1)], retryAt: nil))
        _ = story(.connectionEnded(connection(1), nil))
        #expect(story.isIdle)
        // It was asked for once.
        #expect(story(.queued(destination("dial.test"), isWanted: false)) == ["find"])
        #expect(
            story(found(["dial.test"])) == ["rest dial.test +86400 0 waits until it is fetched"]
        )
    }

    /// ATRN: the peer's own connection takes its mail, and is closed behind the last message.
    @Test func offeredConnectionTakesAllAndIsClosed() {
        let story = QueueStory(onDemand: ["dial.test"])
        _ = story(.started)
        _ = story(found([]))
        let id = story.makeConnectionID()
        #expect(
            story(.connectionOffered(id, destination("dial.test"))) == ["claim dial.test"]
        )
        #expect(
            story(.claimed(destination("dial.test"), claims([1, 2]), isComplete: true))
                == ["deliver 1 dial.test 1"]
        )
        #expect(story(finished(1, 1)) == ["deliver 1 dial.test 2"])
        #expect(story(finished(1, 2)) == ["close 1"])
        _ = story(.settled(destination("dial.test"), [message(1), message(2)], retryAt: nil))
        _ = story(.connectionEnded(connection(1), nil))
        #expect(story.occupancy.destinations == 0)
    }

    @Test func offeredConnectionWithoutMailIsClosedAtOnce() {
        let story = QueueStory(onDemand: ["dial.test"])
        _ = story(.started)
        _ = story(found([]))
        let id = story.makeConnectionID()
        _ = story(.connectionOffered(id, destination("dial.test")))
        #expect(
            story(.claimed(destination("dial.test"), [], isComplete: true))
                == ["revive dial.test", "close 1"]
        )
    }

    /// The peer hangs up: its mail waits for the next time, and nothing is opened.
    @Test func offeredConnectionThatEndsLeavesTheRest() {
        let story = QueueStory(onDemand: ["dial.test"])
        _ = story(.started)
        _ = story(found([]))
        let id = story.makeConnectionID()
        _ = story(.connectionOffered(id, destination("dial.test")))
        _ = story(.claimed(destination("dial.test"), claims([1, 2]), isComplete: true))
        _ = story(finished(1, 1))
        #expect(
            story(.connectionEnded(connection(1), nil)) == []
        )
        #expect(
            story(.settled(destination("dial.test"), [message(1)], retryAt: nil))
                == ["release dial.test 2", "find"]
        )
        #expect(story.occupancy.destinations == 0)
    }

    // MARK: - The store

    @Test func storeThatFailsIsAskedAgainAfterAPause() {
        let story = QueueStory()
        #expect(story(.started) == ["find"])
        #expect(story(.findDueFailed) == [])
        #expect(story.timerAt == 101)
        story.wait(1)
        #expect(story(.timerFired) == ["find"])
        #expect(story(found(["a.test"])) == ["claim a.test"])
        #expect(story(.claimFailed(destination("a.test"))) == [])
        #expect(story.timerAt == 102)
        story.wait(1)
        #expect(story(.timerFired) == ["claim a.test"])
    }

    /// The store says that something is due and gives nothing: it is set right, and nothing spins.
    @Test func emptyClaimIsNotAskedForEver() {
        let story = QueueStory()
        _ = story(.started)
        _ = story(found(["a.test"]))
        #expect(
            story(.claimed(destination("a.test"), [], isComplete: true)) == ["revive a.test"]
        )
        #expect(story(.queued(destination("b.test"), isWanted: false)) == [])
        #expect(story.timerAt == 101)
        story.wait(1)
        #expect(story(.timerFired) == ["find"])
    }

    @Test func emptyClaimThatIsNotCompleteWaits() {
        let story = QueueStory()
        _ = story(.started)
        _ = story(found(["a.test"]))
        #expect(story(.claimed(destination("a.test"), [], isComplete: false)) == [])
        story.wait(1)
        #expect(story(.timerFired) == ["claim a.test"])
    }

    @Test func messageWithMoreRecipientsComesAgain() {
        let story = QueueStory()
        _ = story(.started)
        _ = story(found(["a.test"]))
        let partial = QueueScheduler.Claim(message(1), octets: 1, sender: 1, isPartial: true)
        _ = story(.claimed(destination("a.test"), [partial], isComplete: true))
        _ = story(.connectionReady(connection(1)))
        #expect(story(finished(1, 1)) == [])
        #expect(
            story(.settled(destination("a.test"), [message(1)], retryAt: nil)) == ["claim a.test"]
        )
    }

    @Test func messageThatMayComeAtOnceComesAgain() {
        let story = QueueStory()
        _ = story(.started)
        _ = story(found(["a.test"]))
        _ = story(.claimed(destination("a.test"), claims([1]), isComplete: true))
        _ = story(.connectionReady(connection(1)))
        _ = story(finished(1, 1, .none))
        #expect(
            story(.settled(destination("a.test"), [message(1)], retryAt: 1000))
                == ["claim a.test"]
        )
    }

    @Test func messageThatMayComeLaterIsAskedForThen() {
        let story = QueueStory()
        _ = story(.started)
        _ = story(found(["a.test"]))
        _ = story(.claimed(destination("a.test"), claims([1]), isComplete: true))
        _ = story(.connectionReady(connection(1)))
        _ = story(finished(1, 1, .none, isReusable: false))
        _ = story(.connectionEnded(connection(1), nil))
        #expect(story(.settled(destination("a.test"), [message(1)], retryAt: 1030)) == [])
        #expect(story.isIdle)
        story.wait(30)
        #expect(story(.timerFired) == ["find"])
    }

    @Test func whatTheOperatorChangedIsReadAnew() {
        let story = QueueStory { $0.connectionsPerDestinationMax = 1 }
        _ = story(.started)
        _ = story(found(["a.test"]))
        _ = story(.claimed(destination("a.test"), claims([1, 2, 3]), isComplete: true))
        _ = story(.connectionReady(connection(1)))
        #expect(
            story(.queueChanged) == ["release a.test 2,3", "claim a.test but 1", "find but a.test"]
        )
        #expect(story(.queueChanged) == [])
        // This answer may be older than the change.
        #expect(
            story(.claimed(destination("a.test"), claims([2, 3]), isComplete: true))
                == ["release a.test 2,3", "claim a.test but 1"]
        )
        #expect(
            story(.claimed(destination("a.test"), claims([3]), isComplete: true)) == []
        )
        #expect(story(finished(1, 1)) == ["deliver 1 a.test 3"])
    }

    /// Once in a minute the store is asked, whatever was heard.
    @Test func nothingIsOverlookedForLong() {
        let story = QueueStory()
        _ = story(.started)
        _ = story(found([]))
        #expect(story.timerAt == 160)
        story.wait(60)
        #expect(story(.timerFired) == ["find"])
    }

    @Test func clockThatIsSetDoesNoHarm() {
        let story = QueueStory()
        _ = story(.started)
        #expect(story(.dueFound([], nextAt: 1_000_000_000, isComplete: true)) == [])
        #expect(story.timerAt == 160)
    }

    // MARK: - Limits

    @Test func memoryHasLimits() {
        let story = QueueStory {
            $0.messagesMax = 5
            $0.messagesPerDestinationMax = 4
        }
        _ = story(.started)
        #expect(story(found(["a.test", "b.test"])) == ["claim a.test", "claim b.test"])
        #expect(story.occupancy.messages == 5)
        _ = story(.claimed(destination("a.test"), claims([1, 2, 3, 4]), isComplete: false))
        #expect(story.occupancy.messages == 5)
        _ = story(.claimed(destination("b.test"), claims([9]), isComplete: false))
        #expect(story.occupancy.messages == 5)
        _ = story(.connectionReady(connection(1)))
        _ = story(finished(1, 1))
        // What is not settled counts.
        #expect(story.occupancy.messages == 5)
        #expect(
            story(.settled(destination("a.test"), [message(1)], retryAt: nil)).isEmpty == false
        )
        #expect(story.occupancy.messages == 5)
    }

    @Test func connectionsThatCloseStillCount() {
        let story = QueueStory { $0.connectionsMax = 1 }
        _ = story(.started)
        _ = story(found(["a.test", "b.test"]))
        _ = story(.claimed(destination("a.test"), claims([1]), isComplete: true))
        _ = story(.claimed(destination("b.test"), claims([2]), isComplete: true))
        _ = story(.connectionReady(connection(1)))
        #expect(story(finished(1, 1)) == ["close 1"])
        #expect(story(.settled(destination("a.test"), [message(1)], retryAt: nil)) == [])
        #expect(story(.connectionEnded(connection(1), nil)) == ["open 2 b.test"])
    }

    // MARK: - The end

    @Test func stopLetsTransactionsFinish() {
        let story = QueueStory()
        _ = story(.started)
        _ = story(found(["a.test"]))
        _ = story(.claimed(destination("a.test"), claims([1, 2, 3]), isComplete: true))
        _ = story(.connectionReady(connection(1)))
        #expect(story(.stopping) == ["release a.test 2,3"])
        #expect(story(.connectionReady(connection(2))) == ["close 2"])
        #expect(story(.connectionEnded(connection(2), nil)) == [])
        #expect(story(.queued(destination("b.test"), isWanted: false)) == [])
        #expect(story(finished(1, 1)) == ["close 1"])
        #expect(story(.connectionEnded(connection(1), nil)) == [])
        #expect(!story.isIdle)
        #expect(story(.settled(destination("a.test"), [message(1)], retryAt: nil)) == [])
        #expect(story.isIdle)
    }

    @Test func stopDuringQuestions() {
        let story = QueueStory()
        _ = story(.started)
        _ = story(found(["a.test"]))
        #expect(story(.stopping) == [])
        #expect(!story.isIdle)
        #expect(
            story(.claimed(destination("a.test"), claims([1]), isComplete: true))
                == ["release a.test 1"]
        )
        #expect(story.isIdle)
    }
}
