// SPDX-License-Identifier: Apache-2.0

@testable import EventLoop
import Glibc
import MailBytes
import Testing

/// Timers, deadlines, signals and the loop's own turning.
@Suite(.timeLimit(.minutes(1)))
struct TimerTests {
    @Test("Timers run in the order of their times, once, and not before")
    func order() throws {
        let loop = try EventLoop(connectionsMax: 1)
        var order: [Int] = []
        let start = loop.now
        for (index, seconds) in [0.06, 0.02, 0.04, 0, -1].enumerated() {
            loop.after(seconds: seconds) {
                order.append(index)
                // The system's coarse clock may be one tick behind.
                #expect(loop.now - start >= seconds - 0.01)
            }
        }
        loop.after(seconds: 0.15) { loop.stop() }
        loop.run()
        #expect(order.prefix(2).sorted() == [3, 4])
        #expect(order.dropFirst(2) == [1, 2, 0])
    }

    @Test("A cancelled timer does not run; cancelling one that ran hits no other")
    func cancel() throws {
        let loop = try EventLoop(connectionsMax: 1)
        var ran: [String] = []
        let cancelled = loop.after(seconds: 0.02) { ran.append("cancelled") }
        var old: [Timer] = []
        for _ in 0..<100 { old.append(loop.after(seconds: 0) {}) }
        loop.after(seconds: 0.01) {
            cancelled.cancel()
            cancelled.cancel()
        }
        loop.after(seconds: 0.03) {
            // These may well get the memory of those that ran.
            for index in 0..<100 { loop.after(seconds: 0.01) { ran.append("\(index)") } }
            for timer in old { timer.cancel() }
            loop.after(seconds: 0.05) { loop.stop() }
        }
        loop.run()
        #expect(ran.count == 100)
        #expect(!ran.contains("cancelled"))
    }

    @Test("A timer may cancel itself and set another")
    func selfCancel() throws {
        let loop = try EventLoop(connectionsMax: 1)
        var count = 0
        var timer: Timer?
        func again() {
            timer = loop.after(seconds: 0) {
                timer?.cancel()
                count += 1
                if count < 200 { again() } else { loop.stop() }
            }
        }
        again()
        loop.run()
        #expect(count == 200)
    }

    @Test("No duration traps", arguments: [Double.infinity, .nan, -.infinity, 1e300, 1e-300])
    func oddDurations(seconds: Double) throws {
        let loop = try EventLoop(connectionsMax: 1)
        let timer = loop.after(seconds: seconds) {}
        let stream = try loop.connect(to: try loop.listen(on: Loopback.ipv4) { _ in }.address)
        stream.setDeadline(seconds: seconds)
        stream.setDeadline(seconds: nil)
        loop.after(seconds: 0.02) { loop.stop() }
        loop.run()
        timer.cancel()
    }

    @Test("More kinds of durations than there are queues for are fine")
    func manyDurations() throws {
        let loop = try EventLoop(connectionsMax: 1)
        let timers = (1...300).map { loop.after(seconds: Double($0)) {} }
        var isLast = false
        loop.after(seconds: 0.02) {
            isLast = true
            loop.stop()
        }
        loop.run()
        #expect(isLast)
        for timer in timers { timer.cancel() }
    }

    @Test("A deadline passes once, can be moved both ways, and lifted")
    func deadlines() throws {
        var passedAfter: [Double] = []
        let harness = try LoopHarness { handler, _ in
            handler.onInputEnded = { _ in }
        }
        let loop = harness.loop
        let start = loop.now
        let streams = try (0..<4).map { _ in
            let stream = try loop.connect(to: harness.address)
            let handler = ScriptedHandler()
            handler.onDeadline = { _ in
                passedAfter.append(loop.now - start)
                if passedAfter.count == 3 { loop.after(seconds: 0.05) { loop.stop() } }
            }
            stream.handler = handler
            return stream
        }
        streams[0].setDeadline(seconds: 0.05)
        streams[1].setDeadline(seconds: 0.05)
        streams[2].setDeadline(seconds: 60)
        streams[3].setDeadline(seconds: 0.05)
        loop.after(seconds: 0.02) {
            streams[1].setDeadline(seconds: 0.1)
            streams[2].setDeadline(seconds: 0.16)
            streams[3].setDeadline(seconds: nil)
        }
        let limit = loop.after(seconds: 30) { [unowned loop] in loop.stop() }
        loop.run()
        limit.cancel()
        // The fourth never passes; the others not before their times.
        #expect(passedAfter.count == 3)
        for (time, least) in zip(passedAfter, [0.05, 0.12, 0.18]) {
            #expect(time >= least - 0.011)
        }
        #expect(passedAfter[2] < 30)
        for stream in streams { stream.handler = nil }
    }

    @Test("A signal runs its body on the loop, each time it comes")
    func signals() async {
        await #expect(processExitsWith: .success) {
            let loop = try EventLoop(connectionsMax: 1)
            var count = 0
            loop.onSignal(SIGUSR1) {
                count += 1
                if count == 2 { kill(getpid(), SIGTERM) } else { kill(getpid(), SIGUSR1) }
            }
            loop.onSignal(SIGTERM) { loop.stop() }
            loop.after(seconds: 0.01) { kill(getpid(), SIGUSR1) }
            loop.after(seconds: 5) { exit(1) }
            loop.run()
            // A broken pipe must not end the process either.
            raise(SIGPIPE)
            exit(count == 2 ? 0 : 2)
        }
    }

    @Test("A loop with nothing to wait for returns, and one that ran may run again")
    func nothingToDo() throws {
        let loop = try EventLoop(connectionsMax: 1)
        loop.run()
        var ran = 0
        for _ in 0..<2 {
            loop.after(seconds: 0) { ran += 1 }
            loop.run()
        }
        #expect(ran == 2)
    }

    @Test("The histogram counts the work of a turn, and not the waiting before it")
    func turnTimes() throws {
        let loop = try EventLoop(connectionsMax: 1)
        _ = loop.now
        loop.after(seconds: 0.6) {
            WorkerThread.sleep(milliseconds: 20)
            loop.stop()
        }
        loop.run()
        #expect(loop.turnTimes.counts.reduce(0, +) == 1)
        #expect(loop.turnTimes.longestMicroseconds >= 20_000)
        #expect(loop.turnTimes.longestMicroseconds < 500_000)
    }

    @Test("The buckets of the histogram are powers of two of microseconds")
    func histogram() {
        var histogram = TurnHistogram()
        #expect(histogram.quantile(0.99) == 0)
        for nanoseconds: UInt64 in [0, 999, 1000, 1999, 2000, 3999, 5_000_000] {
            histogram.record(nanoseconds: nanoseconds)
        }
        #expect(Array(histogram.counts[..<3]) == [2, 2, 2])
        #expect(histogram.counts[13] == 1)
        #expect(histogram.quantile(0.5) == 2)
        #expect(histogram.quantile(0.99) == 8192)
        #expect(histogram.longestMicroseconds == 5000)
        histogram.record(nanoseconds: .max)
        #expect(histogram.counts[31] == 1)
        #expect(histogram.description.hasPrefix("8 p50<"))
    }

    @Test("The time of a turn does not move while it lasts")
    func now() throws {
        let loop = try EventLoop(connectionsMax: 1)
        loop.after(seconds: 0) {
            let before = loop.now
            WorkerThread.sleep(milliseconds: 5)
            #expect(loop.now == before)
            loop.after(seconds: 0) {
                #expect(loop.now >= before + 0.005)
                loop.stop()
            }
        }
        loop.run()
    }
}
