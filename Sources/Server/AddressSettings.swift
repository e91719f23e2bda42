// SPDX-License-Identifier: Apache-2.0

package import MailBytes

/// What of the configuration concerns addresses.
package struct AddressSettings {
    package var localDomains: [String]
    package var policy: AddressPolicy
    /// Peers that are free of per-client limits.
    package var isExempt: (NetworkAddress) -> Bool
    /// Peers whose PROXY headers are believed.
    package var isTrustedProxy: (NetworkAddress) -> Bool

    package init(
        localDomains: [String],
        policy: AddressPolicy,
        isExempt: @escaping (NetworkAddress) -> Bool,
        isTrustedProxy: @escaping (NetworkAddress) -> Bool = { _ in false }
    ) {
        self.localDomains = localDomains
        self.policy = policy
        self.isExempt = isExempt
        self.isTrustedProxy = isTrustedProxy
    }
}
