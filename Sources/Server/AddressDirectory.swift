// SPDX-License-Identifier: Apache-2.0
//
// Which addresses are ours and where their mail goes, remembered on the loop so that a known
// recipient costs no question to the store. Any change of accounts or aliases empties the memory.

internal import MailBytes
package import MailStore
package import MailSyntax

/// How an address is to be read: configuration that the reader thread needs as well.
package struct AddressPolicy: Sendable {
    /// The octet between a mailbox and its detail ("+"), or nil.
    package let delimiter: UInt8?
    /// The address that takes mail for unknown local-parts of its domain, or nil.
    package let catchAll: Address?
    /// Where `postmaster` of any local domain goes when it has no account or alias.
    package let postmaster: Address
    /// The domains whose mail is delivered here, in lower case; aliases may lead elsewhere.
    package let localDomains: Set<[UInt8]>

    package init(
        delimiter: UInt8?,
        catchAll: Address?,
        postmaster: Address,
        localDomains: [String]
    ) {
        self.init(
            delimiter: delimiter,
            catchAll: catchAll,
            postmaster: postmaster,
            localDomains: Set(localDomains.map { Array($0.lowercased().utf8) })
        )
    }

    private init(
        delimiter: UInt8?,
        catchAll: Address?,
        postmaster: Address,
        localDomains: Set<[UInt8]>
    ) {
        self.delimiter = delimiter
        self.catchAll = catchAll
        self.postmaster = postmaster
        self.localDomains = localDomains
    }

    /// The same without a catch-all.
    var withoutCatchAll: AddressPolicy {
        AddressPolicy(
            delimiter: self.delimiter,
            catchAll: nil,
            postmaster: self.postmaster,
            localDomains: self.localDomains
        )
    }
}

/// One maildrop that a recipient's mail goes to.
package struct MailboxTarget: Sendable, Hashable {
    package let account: AccountID
    /// The most octets the maildrop may hold, or nil.
    package let quota: Int?
    /// What it held when it was looked up; only meaningful with a quota.
    package let octets: Int

    /// The accounts of all recipients, each once, in order.
    package static func accounts(of targets: [[MailboxTarget]]) -> [AccountID] {
        if targets.count == 1, targets[0].count == 1 { return [targets[0][0].account] }
        var seen: Set<AccountID> = []
        return targets.joined().map(\.account).filter { seen.insert($0).inserted }
    }
}

/// What an address stands for.
package enum AddressResolution: Sendable {
    /// Maildrops here, and addresses of other domains that aliases lead to; one of either at least.
    case targets([MailboxTarget], elsewhere: [Address])
    case unknown

    /// Whether mail for the address is taken.
    package var isDeliverable: Bool {
        switch self {
        case .targets: true
        case .unknown: false
        }
    }
}

/// The loop's memory of addresses.
struct AddressDirectory {
    let policy: AddressPolicy
    private let defaultDomain: [UInt8]
    private var known: [Address: AddressResolution] = [:]
    private let entriesMax: Int

    init(localDomains: [String], policy: AddressPolicy, entriesMax: Int) {
        self.policy = policy
        self.defaultDomain = Array((localDomains.first ?? "localhost").lowercased().utf8)
        self.entriesMax = entriesMax
    }

    /// The canonical form of a mailbox as a client wrote it; one without a domain (`postmaster`, or
    /// a POP3 user name) is taken to be in the first local domain.
    func address(_ mailbox: borrowing Span<UInt8>) -> Address? {
        if mailbox.firstIndex(of: UInt8(ascii: "@")) == nil {
            return Address(octets: (mailbox.copy() + [UInt8(ascii: "@")] + self.defaultDomain).span)
        }
        return Address(octets: mailbox)
    }

    /// Whether the domain of the address is one of ours.
    func isLocal(_ address: Address) -> Bool {
        // Most servers have one domain, and most addresses are in it.
        address.domain.elementsEqual(self.defaultDomain)
            || self.policy.localDomains.contains(Array(address.domain))
    }

    /// What is remembered of the address.
    func cached(_ address: Address) -> AddressResolution? {
        self.known[address]
    }

    /// Remembers where the address leads, unless its maildrops have quotas: those change with every
    /// message.
    ///
    /// Unknown addresses are not remembered, so that guessing fills nothing.
    mutating func remember(_ resolution: AddressResolution, for address: Address) {
        guard case .targets(let mailboxes, _) = resolution,
            mailboxes.allSatisfy({ $0.quota == nil })
        else { return }
        if self.known.count >= self.entriesMax { self.known.removeAll(keepingCapacity: true) }
        self.known[address] = resolution
    }

    /// Accounts or aliases have changed.
    mutating func forgetAll() {
        self.known.removeAll()
    }
}
