// SPDX-License-Identifier: Apache-2.0
//
// The limits of the queue's scheduler.

/// What bounds the scheduler, and how fast it goes.
package struct QueueSchedulerSettings: Sendable {
    /// Connections to all destinations at a time, until their end was told.
    package var connectionsMax = 200
    package var connectionsPerDestinationMax = 20
    /// With so many a destination begins; a success on each of its connections adds one.
    package var connectionsPerDestinationFirst = 2
    package var messagesPerConnectionMax = 100
    /// Messages to one destination in a second, perhaps less than one; 0: any number.
    package var messagesPerDestinationSecond = 0.0
    /// A connection without a message is closed after so many seconds.
    package var idleSecondsMax = 5.0
    /// While others wait for a connection, one has to end after so many messages.
    package var messagesPerTurn = 20
    /// Or after so many seconds with at least one message.
    package var secondsPerTurn = 10.0
    /// Destinations in memory.
    package var destinationsMax = 1000
    /// Messages in memory, from the claim until what became of them is settled.
    package var messagesMax = 4000
    /// Messages in memory of one destination.
    package var messagesPerDestinationMax = 256
    /// Octets of content in memory.
    package var octetsMax = 1 << 25
    /// Octets of content that one claim may ask for.
    package var octetsPerClaimMax = 1 << 21
    /// After so much bad news without a good one a destination rests, even if some of its
    /// connections are alive.
    package var strikesMax = 5
    /// The store is asked what is due at least once in so many seconds, whatever was heard.
    ///
    /// What is overlooked must not wait for ever, and the clock on the wall may be set.
    package var searchSecondsMax = 60.0
    /// Delays of destinations that fail as a whole.
    package var retries = RetrySchedule()

    package init() {}
}
