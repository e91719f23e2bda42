// SPDX-License-Identifier: Apache-2.0
//
// Passwords that were found right lately, as keyed hashes: in memory only, worth nothing without
// the key of this process, and gone as soon as a password changes.

/// A bounded memory of verified passwords.
///
/// A verdict takes milliseconds on a worker, and the password may be changed meanwhile: whoever
/// remembers one has made sure that nothing changed since the account was read.
package struct CredentialCache {
    private struct Entry {
        let account: Int64
        let hash: KeyedHash.Value
        /// Where the name stands in `names`.
        var index: Int
    }

    private var entries: [[UInt8]: Entry] = [:]
    /// All names that have an entry, in no order, so that one can be drawn.
    private var names: [[UInt8]] = []
    private let entriesMax: Int
    private let keyedHash = KeyedHash()
    private var randomness = SystemRandomNumberGenerator()

    /// An empty memory of at most so many entries; with 0 it stays empty.
    package init(entriesMax: Int) {
        self.entriesMax = max(entriesMax, 0)
    }

    /// How many passwords are remembered.
    package var count: Int { self.names.count }

    /// The account of `name` if its verified password is this one.
    package func account(of name: [UInt8], ifPasswordIs password: [UInt8]) -> Int64? {
        guard let entry = self.entries[name] else { return nil }
        let hash = self.keyedHash.hash(name, password)
        return KeyedHash.areEqual(hash, entry.hash) ? entry.account : nil
    }

    /// Remembers a password that was found right.
    ///
    /// When the memory is full, an entry drawn by lot makes room.
    package mutating func remember(_ name: [UInt8], _ password: [UInt8], account: Int64) {
        guard self.entriesMax > 0 else { return }
        let hash = self.keyedHash.hash(name, password)
        if let index = self.entries[name]?.index {
            self.entries[name] = Entry(account: account, hash: hash, index: index)
            return
        }
        if self.names.count >= self.entriesMax {
            self.remove(at: Int.random(in: 0..<self.names.count, using: &self.randomness))
        }
        self.entries[name] = Entry(account: account, hash: hash, index: self.names.count)
        self.names.append(name)
    }

    /// The password of the name has changed, or the account is gone.
    package mutating func forget(_ name: [UInt8]) {
        if let index = self.entries[name]?.index { self.remove(at: index) }
    }

    /// Any password may have changed.
    package mutating func forgetAll() {
        self.entries.removeAll()
        self.names.removeAll()
    }

    private mutating func remove(at index: Int) {
        self.entries[self.names[index]] = nil
        let last = self.names.removeLast()
        guard index < self.names.count else { return }
        self.names[index] = last
        self.entries[last]?.index = index
    }
}
