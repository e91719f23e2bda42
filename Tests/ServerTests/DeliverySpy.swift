// SPDX-License-Identifier: Apache-2.0
//
// Writes down what those who deliver are told, and delivers nothing.

import Delivery
import EventLoop

@testable import Server

final class DeliverySpy: DeliveryHooks {
    private(set) var queued: [[String]] = []
    private(set) var started: [[String]] = []
    private(set) var turned: [[String]] = []
    private(set) var streams: [any ByteStream] = []
    private(set) var reportsAwaitedCount = 0
    var leaks: [String] { [] }

    func queued(_ destinations: [Destination]) { self.queued.append(destinations.map(\.text)) }

    func reportsAwaited() { self.reportsAwaitedCount += 1 }

    func startQueue(of destinations: [Destination]) {
        self.started.append(destinations.map(\.text))
    }

    func turnAround(_ stream: any ByteStream, for destinations: [Destination]) {
        self.turned.append(destinations.map(\.text))
        self.streams.append(stream)
    }

    func answered(_ reply: StorageReply, serial: UInt32) {}
}
