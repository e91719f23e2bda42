// SPDX-License-Identifier: Apache-2.0
//
// When which message goes over which connection: a reducer over what the store and the connections
// tell. The queue itself stays in the store, however long it is; here is only what is under way.

/// The order of deliveries.
package struct QueueScheduler: ~Copyable {
    package let settings: QueueSchedulerSettings

    /// A scheduler with nothing under way.
    ///
    /// - Parameters:
    ///   - isOnDemand: whether a destination's mail waits to be fetched.
    ///   - seed: any number, for the jitter of delays.
    package init(
        settings: QueueSchedulerSettings = QueueSchedulerSettings(),
        isOnDemand: @escaping (Destination) -> Bool = { _ in false },
        seed: UInt64
    ) {
        self.settings = settings
    }

    /// Takes an event and appends what is to be done.
    package mutating func reduce(
        _ event: Event,
        now: DeliveryTime,
        into actions: inout [Action]
    ) {
    }

    /// An id for a connection that is to be offered.
    package mutating func makeConnectionID() -> DeliveryConnectionID {
        DeliveryConnectionID(rawValue: 0)
    }

    /// Whether nothing is under way: no connection, no outcome that is not settled, no question.
    package var isIdle: Bool { true }
}
