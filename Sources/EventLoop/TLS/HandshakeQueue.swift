// SPDX-License-Identifier: Apache-2.0
//
// Those whose handshake is still to begin, in the order they came. The dead are left in their place
// until it is their turn, so the queue is as long as there were connections.

/// Streams that wait for their handshake.
struct HandshakeQueue {
    private var streams: [LoopStream] = []
    private var first = 0

    var isEmpty: Bool { self.first == self.streams.count }

    mutating func put(_ stream: LoopStream) { self.streams.append(stream) }

    mutating func take() -> LoopStream? {
        guard !self.isEmpty else { return nil }
        defer {
            self.first += 1
            if self.first > 64, self.first * 2 > self.streams.count {
                self.streams.removeFirst(self.first)
                self.first = 0
            }
        }
        return self.streams[self.first]
    }
}
