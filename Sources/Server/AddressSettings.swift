// SPDX-License-Identifier: Apache-2.0

package import MailBytes

/// What of the configuration concerns addresses.
package struct AddressSettings {
    package var localDomains: [String]
    package var policy: AddressPolicy
    /// Peers that are free of per-client limits.
    package var isExempt: (NetworkAddress) -> Bool

    package init(
        localDomains: [String],
        policy: AddressPolicy,
        isExempt: @escaping (NetworkAddress) -> Bool
    ) {
        self.localDomains = localDomains
        self.policy = policy
        self.isExempt = isExempt
    }
}
