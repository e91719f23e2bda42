// SPDX-License-Identifier: Apache-2.0
//
// What is remembered of clients and accounts, in a space that no number of them can outgrow.

/// Something that becomes not worth remembering as time goes by.
protocol Fading {
    /// How much would be lost by forgetting this; 0: nothing.
    func weight(at now: Double) -> Int
}

/// A table of at most so many entries.
///
/// When it is full, the lightest of a few entries makes room: whoever floods the table with new
/// names pushes out other new names before those that have done something.
struct BoundedTable<Key: Hashable, Value: Fading> {
    private struct Entry {
        let key: Key
        var value: Value
    }

    private var places: [Key: Int] = [:]
    private var entries: [Entry] = []
    /// Where the next search for a light entry begins.
    private var hand = 0
    private let entriesMax: Int

    /// So many entries are looked at to find a light one.
    private static var lookedAt: Int { 8 }

    init(entriesMax: Int) {
        self.entriesMax = max(entriesMax, 1)
    }

    var count: Int { self.entries.count }
    var isEmpty: Bool { self.entries.isEmpty }

    subscript(key: Key) -> Value? {
        guard !self.entries.isEmpty, let place = self.places[key] else { return nil }
        return self.entries[place].value
    }

    /// Changes the entry of `key`, which is `fresh` when there was none.
    mutating func change<Result>(
        _ key: Key,
        orNew fresh: @autoclosure () -> Value,
        at now: Double,
        _ body: (inout Value) -> Result
    ) -> Result {
        if let place = self.places[key] { return body(&self.entries[place].value) }
        if self.entries.count >= self.entriesMax { self.makeRoom(at: now) }
        self.places[key] = self.entries.count
        self.entries.append(Entry(key: key, value: fresh()))
        return body(&self.entries[self.entries.count - 1].value)
    }

    /// Changes the entry of `key`, if there is one.
    mutating func changeIfThere(_ key: Key, _ body: (inout Value) -> Void) {
        guard !self.entries.isEmpty, let place = self.places[key] else { return }
        body(&self.entries[place].value)
    }

    /// Forgets what is not worth remembering any more.
    mutating func sweep(at now: Double) {
        for place in self.entries.indices.reversed()
        where self.entries[place].value.weight(at: now) == 0 { self.remove(at: place) }
    }

    private mutating func makeRoom(at now: Double) {
        var lightest = (place: 0, weight: Int.max)
        for _ in 0..<min(Self.lookedAt, self.entries.count) {
            self.hand = self.hand + 1 < self.entries.count ? self.hand + 1 : 0
            let weight = self.entries[self.hand].value.weight(at: now)
            if weight < lightest.weight { lightest = (self.hand, weight) }
        }
        self.remove(at: lightest.place)
    }

    private mutating func remove(at place: Int) {
        self.places[self.entries[place].key] = nil
        let last = self.entries.removeLast()
        guard place < self.entries.count else { return }
        self.entries[place] = last
        self.places[last.key] = place
    }
}
