// SPDX-License-Identifier: Apache-2.0

@testable import EventLoop
import Synchronization
import Testing

/// What goes between threads.
@Suite(.timeLimit(.minutes(1)))
struct ThreadTests {
    @Test("Values from many threads arrive all, each thread's in order", arguments: [false, true])
    func mailbox(inBatches: Bool) throws {
        let loop = try EventLoop(connectionsMax: 1)
        let perThread = 20_000
        var last = [Int](repeating: -1, count: 4)
        var perTurn: [Int: Int] = [:]
        var total = 0
        let mailbox = loop.makeMailbox { [unowned loop] (value: (thread: Int, number: Int)) in
            #expect(value.number == last[value.thread] + 1)
            last[value.thread] = value.number
            perTurn[loop.turn, default: 0] += 1
            total += 1
            if total == 4 * perThread { loop.stop() }
        }
        let threads = (0..<4).map { thread in
            WorkerThread(name: "poster") {
                if inBatches {
                    for start in stride(from: 0, to: perThread, by: 500) {
                        mailbox.post(contentsOf: (start..<start + 500).map { (thread, $0) })
                    }
                    mailbox.post(contentsOf: [])
                } else {
                    for number in 0..<perThread { mailbox.post((thread, number)) }
                }
            }
        }
        loop.after(seconds: 30) { [unowned loop] in loop.stop() }
        loop.run()
        for thread in threads { thread.join() }
        #expect(total == 4 * perThread)
        #expect(perTurn.values.max() ?? 0 <= 128)
    }

    @Test("Values posted before the loop runs, and from the loop itself, arrive")
    func mailboxFromTheLoop() throws {
        let loop = try EventLoop(connectionsMax: 1)
        var received: [Int] = []
        var door: LoopMailbox<Int>?
        let mailbox = loop.makeMailbox { [unowned loop] (value: Int) in
            received.append(value)
            if value < 5 { door?.post(value + 1) } else { loop.stop() }
        }
        door = mailbox
        mailbox.post(1)
        loop.run()
        door = nil
        #expect(received == [1, 2, 3, 4, 5])
    }

    @Test("A taker gets everything that waits, in order, or as much as it wants")
    func takeAll() {
        let queue = WorkQueue<Int>()
        for job in 0..<10 { queue.put(job) }
        #expect(queue.count == 10)
        #expect(queue.takeAll(max: 3) == [0, 1, 2])
        queue.put(10)
        #expect(queue.takeOne() == 3)
        #expect(queue.takeAll(max: 4) == [4, 5, 6, 7])
        #expect(queue.count == 3)
        // What was left of an earlier batch comes before what was put later.
        #expect(queue.takeAll() == [8, 9])
        #expect(queue.takeAll() == [10])
        #expect(queue.count == 0)
    }

    @Test("Many takers share the work of many putters, and all learn of the end")
    func manyTakers() {
        let queue = WorkQueue<Int>()
        let taken = Mutex<[Int]>([])
        let putters = (0..<3).map { putter in
            WorkerThread(name: "putter") {
                for job in 0..<10_000 {
                    queue.put(putter * 10_000 + job)
                    // Takers must fall asleep in between, too.
                    if job % 1000 == 0 { WorkerThread.sleep(milliseconds: 1) }
                }
            }
        }
        let counts = Findings<Int>()
        let takers = (0..<4).map { taker in
            WorkerThread(name: "taker") {
                var count = 0
                if taker == 0 {
                    while true {
                        let jobs = queue.takeAll(max: 16)
                        guard !jobs.isEmpty else { break }
                        taken.withLock { $0 += jobs }
                        count += jobs.count
                    }
                } else {
                    while let job = queue.takeOne() {
                        taken.withLock { $0.append(job) }
                        count += 1
                    }
                }
                counts.add(count)
            }
        }
        for thread in putters { thread.join() }
        queue.close()
        for thread in takers { thread.join() }
        #expect(taken.withLock { $0.sorted() } == Array(0..<30_000))
        #expect(counts.all.reduce(0, +) == 30_000)
        #expect(queue.takeAll().isEmpty)
        #expect(queue.takeOne() == nil)
    }

    @Test("What waits when a queue is closed is still taken")
    func close() {
        let queue = WorkQueue<Int>()
        queue.put(1)
        queue.put(2)
        queue.close()
        #expect(queue.takeOne() == 1)
        #expect(queue.takeOne() == 2)
        #expect(queue.takeOne() == nil)
    }

    @Test("A taker that leaves work behind wakes one that sleeps")
    func sleepersAreWoken() {
        let queue = WorkQueue<Int>()
        let taken = Atomic(0)
        let isAlone = Atomic(false)
        // Each keeps its job in hand until the other has one, too: nobody can take both.
        let takers = (0..<2).map { _ in
            WorkerThread(name: "taker") {
                while let round = queue.takeOne() {
                    taken.add(1, ordering: .acquiringAndReleasing)
                    var patience = 5000
                    while taken.load(ordering: .acquiring) < 2 * (round + 1), patience > 0 {
                        WorkerThread.sleep(milliseconds: 1)
                        patience -= 1
                    }
                    if patience == 0 { isAlone.store(true, ordering: .releasing) }
                }
            }
        }
        for round in 0..<300 where !isAlone.load(ordering: .acquiring) {
            queue.put(round)
            queue.put(round)
            while taken.load(ordering: .acquiring) < 2 * (round + 1) {
                WorkerThread.sleep(milliseconds: 1)
            }
        }
        queue.close()
        for taker in takers { taker.join() }
        let wasAlone = isAlone.load(ordering: .acquiring)
        #expect(!wasAlone)
    }

    @Test("A thread is waited for as long as it takes, or only so long")
    func join() {
        let released = Atomic(false)
        let thread = WorkerThread(name: "a name longer than the system keeps") {
            while !released.load(ordering: .acquiring) { WorkerThread.sleep(milliseconds: 1) }
        }
        let clock = ContinuousClock()
        #expect(clock.measure { thread.join(atMostSeconds: 1) } >= .seconds(1))
        released.store(true, ordering: .releasing)
        #expect(clock.measure { thread.join(atMostSeconds: 5) } < .seconds(4))
        thread.join()
        thread.join()
    }

    @Test("A thread that nobody waits for ends by itself")
    func detached() {
        let queue = WorkQueue<Int>()
        do {
            _ = WorkerThread(name: "alone") { queue.put(7) }
        }
        #expect(queue.takeOne() == 7)
    }
}
