// SPDX-License-Identifier: Apache-2.0
//
// Which messages DELE has marked: a bit each, so that a maildrop of 100 000 messages costs 12 KiB,
// and nothing before the first DELE.

/// A set of message indices.
struct DeletionMarks {
    private var words: [UInt64] = []
    /// How many messages are marked.
    private(set) var count = 0

    /// Whether the message at `index` is marked.
    func contains(_ index: Int) -> Bool {
        self.count > 0 && self.words[index >> 6] & 1 << UInt64(index & 63) != 0
    }

    /// Marks the message at `index`, one of `total`, which is not marked yet.
    mutating func insert(_ index: Int, of total: Int) {
        precondition(index < total && !self.contains(index), "a message is marked once")
        if self.words.isEmpty {
            self.words = Array(repeating: 0, count: (total + 63) >> 6)
        }
        self.words[index >> 6] |= 1 << UInt64(index & 63)
        self.count += 1
    }

    /// Takes all marks away and keeps the memory for new ones.
    mutating func removeAll() {
        guard self.count > 0 else { return }
        for index in self.words.indices { self.words[index] = 0 }
        self.count = 0
    }

    /// Calls `body` with each marked index, in order.
    func forEach(_ body: (Int) -> Void) {
        guard self.count > 0 else { return }
        for index in self.words.indices {
            var word = self.words[index]
            while word != 0 {
                body(index << 6 | word.trailingZeroBitCount)
                word &= word - 1
            }
        }
    }
}
