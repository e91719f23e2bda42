// SPDX-License-Identifier: Apache-2.0
//
// What was used between two moments, and numbers by chance.

import Glibc

struct Usage {
    var user: Double
    var system: Double
    var wall: Double

    static var now: Usage {
        var usage = rusage()
        unsafe getrusage(0, &usage)
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Usage(
            user: Double(usage.ru_utime.tv_sec) * 1e6 + Double(usage.ru_utime.tv_usec),
            system: Double(usage.ru_stime.tv_sec) * 1e6 + Double(usage.ru_stime.tv_usec),
            wall: Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
        )
    }

    static let zero = Usage(user: 0, system: 0, wall: 0)

    /// Adds what was used since then.
    mutating func add(since start: Usage) {
        let end = Usage.now
        self.user += end.user - start.user
        self.system += end.system - start.system
        self.wall += end.wall - start.wall
    }

    static func print(_ name: String, since start: Usage, of count: Int) {
        var used = Usage.zero
        used.add(since: start)
        self.print(name, used, of: count)
    }

    static func print(_ name: String, _ used: Usage, of count: Int) {
        func perItem(_ value: Double) -> Double {
            (value / Double(count) * 10).rounded() / 10
        }
        let user = perItem(used.user)
        let system = perItem(used.system)
        let wall = perItem(used.wall)
        Swift.print("\(name): user \(user) + system \(system) µs CPU, \(wall) µs wall")
    }
}

struct Generator {
    var state: UInt64

    mutating func below(_ limit: Int) -> Int {
        self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((self.state >> 33) % UInt64(limit))
    }
}
