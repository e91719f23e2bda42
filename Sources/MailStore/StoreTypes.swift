// SPDX-License-Identifier: Apache-2.0
//
// The values that go into the store and come out of it.

package import MailSyntax

/// An account, for as long as it exists; never given again.
package struct AccountID: RawRepresentable, Hashable, BitwiseCopyable, Sendable {
    package let rawValue: Int64

    package init(rawValue: Int64) { self.rawValue = rawValue }
}

/// An account to be made.
package struct NewAccount: Sendable {
    package let address: Address
    /// What passwords are checked against; opaque to the store.
    ///
    /// Empty: nobody can log in.
    package let verifier: [UInt8]
    /// The password itself, for those who chose APOP.
    package let recoverableSecret: [UInt8]?
    /// The most octets the maildrop may hold.
    package let quota: Int?

    package init(
        address: Address,
        verifier: [UInt8],
        recoverableSecret: [UInt8]?,
        quota: Int?
    ) {
        self.address = address
        self.verifier = verifier
        self.recoverableSecret = recoverableSecret
        self.quota = quota
    }
}

/// An account as it is stored.
package struct AccountRecord: Sendable {
    package let id: AccountID
    package let address: Address
    package let verifier: [UInt8]
    package let recoverableSecret: [UInt8]?
    package let quota: Int?
}

/// Which kinds of accounts there are, which decides how clients may be asked to log in.
package struct AccountKinds: Hashable, BitwiseCopyable, Sendable {
    /// Whether some account has an imported hash, from which nothing but passwords can be checked.
    package var hasImportedHash: Bool
    /// Whether some account has a recoverable secret.
    package var hasRecoverableSecret: Bool

    package init(hasImportedHash: Bool, hasRecoverableSecret: Bool) {
        self.hasImportedHash = hasImportedHash
        self.hasRecoverableSecret = hasRecoverableSecret
    }
}

/// What listings tell of an account.
package struct AccountSummary: Sendable {
    package let address: Address
    package let quota: Int?
    package let hasRecoverableSecret: Bool
    package let messages: Int
    package let octets: Int
}

/// What listings tell of an alias.
package struct AliasSummary: Sendable {
    package let address: Address
    package let targets: [Address]
}

/// The counters of a maildrop.
package struct MaildropHead: Hashable, BitwiseCopyable, Sendable {
    /// Which life of the maildrop it is: new whenever the account is made anew.
    package let incarnation: UInt64
    package let count: Int
    package let octets: Int
    /// The sequence that the next message will have.
    package let nextSequence: UInt32
}

/// One message of a maildrop.
package struct MaildropEntry: Hashable, BitwiseCopyable, Sendable {
    package let sequence: UInt32
    /// Exactly what a reader gets, Return-Path included.
    package let octets: Int
}

/// What an address is.
package enum AddressEntry: Sendable {
    case account(AccountRecord)
    case alias([Address])
    case none
}

/// What became of one recipient's copy.
package enum DeliveryResult: Hashable, Sendable {
    case delivered
    case overQuota
    case noAccount

    /// Whether the copy is in the maildrop.
    package var isDelivered: Bool { self == .delivered }
}
