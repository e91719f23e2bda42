// SPDX-License-Identifier: Apache-2.0
//
// When accounts and aliases changed, in the order of the loop: what was read before a change and
// arrives after it must not be believed, or a password that was changed could come back.

internal import MailSyntax

/// A bounded memory of which addresses have changed lately.
struct AccountChanges {
    /// A point in the sequence of changes.
    typealias Moment = UInt64

    /// The number of changes so far: taken down when something is read.
    private(set) var now: Moment = 0
    private var latest: [Address: Moment] = [:]
    /// Changes up to this one are no longer told apart by address.
    private var floor: Moment = 0
    private let entriesMax: Int

    init(entriesMax: Int = 4096) {
        self.entriesMax = entriesMax
    }

    /// The account or alias of that address has changed.
    mutating func record(_ address: Address) {
        if self.latest.count >= self.entriesMax {
            self.latest.removeAll(keepingCapacity: true)
            self.floor = self.now
        }
        self.now += 1
        self.latest[address] = self.now
    }

    /// Whether what was known of the address at that moment may be outdated.
    func isOutdated(_ address: Address, since moment: Moment) -> Bool {
        guard moment < self.now else { return false }
        if moment < self.floor { return true }
        return self.latest[address].map { $0 > moment } ?? false
    }
}
