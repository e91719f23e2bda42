// SPDX-License-Identifier: Apache-2.0
//
// What a client sends, in flights: STARTTLS ends a flight, and what is left of it is lost.

/// Octets on their way to a session.
struct Flights {
    private var flights: ArraySlice<[UInt8]>
    private var rest: ArraySlice<UInt8> = []
    private let segment: Int

    /// `segment`: how many octets come at once.
    init(_ flights: [[UInt8]], segment: Int) {
        self.flights = flights[...]
        self.segment = segment
    }

    /// The next octets, perhaps none of an empty flight; nil when all were sent.
    mutating func next() -> ArraySlice<UInt8>? {
        if self.rest.isEmpty {
            guard let flight = self.flights.popFirst() else { return nil }
            self.rest = flight[...]
        }
        let octets = self.rest.prefix(self.segment)
        self.rest = self.rest.dropFirst(octets.count)
        return octets
    }

    /// Drops what is left of the flight; false when there is no other.
    mutating func dropFlight() -> Bool {
        self.rest = []
        return !self.flights.isEmpty
    }
}
