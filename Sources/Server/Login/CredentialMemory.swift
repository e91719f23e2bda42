// SPDX-License-Identifier: Apache-2.0
//
// Passwords that were found right lately, so that a client that polls every minute does not cost
// a key derivation each time. Kept as keyed hashes, in memory only.

internal import Credentials
internal import MailStore
internal import MailSyntax

/// The loop's memory of verified passwords.
struct CredentialMemory {
    private var cache: CredentialCache

    init(entriesMax: Int) {
        self.cache = CredentialCache(entriesMax: entriesMax)
    }

    /// The account of an address whose password is known to be this one.
    mutating func account(of address: Address, ifPasswordIs password: [UInt8]) -> AccountID? {
        self.cache.account(of: address.octets, ifPasswordIs: password).map(
            AccountID.init(rawValue:)
        )
    }

    mutating func remember(_ address: Address, _ password: [UInt8], _ account: AccountID) {
        self.cache.remember(address.octets, password, account: account.rawValue)
    }

    mutating func forget(_ address: Address) {
        self.cache.forget(address.octets)
    }

    mutating func forgetAll() {
        self.cache.forgetAll()
    }
}
