// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

/// The loop's clocks.
final class LoopTime: Timekeeper {
    private unowned let loop: EventLoop

    init(loop: EventLoop) { self.loop = loop }

    var now: Double { self.loop.now }

    var wallClock: Int64 { WallClock.seconds }

    func after(seconds: Double, _ body: @escaping () -> Void) {
        self.loop.after(seconds: seconds, body)
    }
}
