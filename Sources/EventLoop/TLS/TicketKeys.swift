// SPDX-License-Identifier: Apache-2.0
//
// The keys of session tickets. The server keeps no sessions: each client keeps its own, sealed with
// one of two keys. The current one seals; what the previous one sealed is still opened, so that a
// change of keys loses no session that is younger than a key's time. In a file they outlive the
// process, and sessions are resumed over a restart.

internal import COpenSSL
internal import Glibc

/// The keys under which clients keep their sessions (RFC 5077; RFC 8446, section 4.6.1).
package final class TicketKeys {
    /// How long a key seals, and a session lives, in seconds.
    let secondsMax: Int
    private let path: String?
    private let clock: () -> Int
    private var current: Key
    private var previous: Key?

    /// One key: a name that says which it is, and two secrets.
    struct Key: Equatable {
        let madeAt: Int
        let octets: [UInt8]

        var name: ArraySlice<UInt8> { self.octets[..<16] }
        var cipher: ArraySlice<UInt8> { self.octets[16..<48] }
        var code: ArraySlice<UInt8> { self.octets[48...] }

        static let octetCount = 16 + 32 + 32
    }

    /// Keys kept in a file of mode 0600, or with nil only in memory; each seals for `hours`.
    ///
    /// A file that others may read has betrayed its keys, and one that is no key file has none: new
    /// ones take their place.
    package convenience init(path: String?, hours: Double) throws(TLSError) {
        try self.init(path: path, hours: hours) { Int(time(nil)) }
    }

    /// The clock gives seconds from the epoch.
    init(path: String?, hours: Double, clock: @escaping () -> Int) throws(TLSError) {
        // RFC 8446, section 4.6.1: a week at most.
        self.secondsMax = Int(min(max(hours, 0.01), 168) * 3600)
        self.path = path
        self.clock = clock
        let stored = path.map { TicketKeyFile.read($0) } ?? []
        let now = clock()
        self.current = stored.first ?? Self.make(now)
        self.previous = stored.dropFirst().first
        // In a file from the future, too, a key would seal for ever.
        if self.isOver(self.current, now) { self.change(at: now) }
        if let path { try TicketKeyFile.write(self.all, to: path) }
    }

    private var all: [Key] { [self.current] + [self.previous].compactMap(\.self) }

    /// The key to seal with; a new one when the last has sealed for long enough.
    func sealingKey() -> Key {
        let now = self.clock()
        guard self.isOver(self.current, now) else { return self.current }
        self.change(at: now)
        // Without the file this process goes on, and only a restart loses sessions.
        if let path = self.path { try? TicketKeyFile.write(self.all, to: path) }
        return self.current
    }

    /// The key of that name, and whether it still seals.
    func openingKey(_ name: [UInt8]) -> (Key, isCurrent: Bool)? {
        let sealing = self.sealingKey()
        if sealing.name.elementsEqual(name) { return (sealing, true) }
        guard let previous, previous.name.elementsEqual(name) else { return nil }
        return (previous, false)
    }

    private func isOver(_ key: Key, _ now: Int) -> Bool {
        !(0..<self.secondsMax).contains(now - key.madeAt)
    }

    private func change(at now: Int) {
        let isRecent = (0..<(2 * self.secondsMax)).contains(now - self.current.madeAt)
        self.previous = isRecent ? self.current : nil
        self.current = Self.make(now)
    }

    private static func make(_ now: Int) -> Key {
        var octets = [UInt8](repeating: 0, count: Key.octetCount)
        let code = unsafe RAND_bytes(&octets, Int32(octets.count))
        precondition(code == 1, "without random octets there are no keys")
        return Key(madeAt: now, octets: octets)
    }
}
