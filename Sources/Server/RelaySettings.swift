// SPDX-License-Identifier: Apache-2.0
//
// Who may send to other servers through this one, for how long it is tried, and who may fetch what
// waits here.

package import MailBytes
package import MailSyntax

/// What of the configuration concerns mail for other domains.
package struct RelaySettings {
    /// Who may fetch the mail of a domain.
    package enum Fetchers {
        /// It is not there to be fetched.
        case nobody
        /// By ETRN alone: it goes where it would go anyway.
        case anybody
        case accounts(Set<Address>)
    }

    /// Domains whose mail waits until it is fetched.
    package struct Kept {
        package let domain: [UInt8]
        /// Whether those below the domain are meant, and not itself.
        package let isBelow: Bool

        package init(domain: [UInt8], isBelow: Bool) {
            self.domain = domain
            self.isBelow = isBelow
        }
    }

    /// Whether mail for a domain, in its canonical form, is taken from anybody.
    package var isRelayDomain: (String) -> Bool = { _ in false }
    /// Whether a client may send to any domain without a login.
    package var mayRelay: (NetworkAddress) -> Bool = { _ in false }
    package var fetchers: (_ domain: String) -> Fetchers = { _ in .nobody }
    /// What ATRN without domains is about.
    package var kept: [Kept] = []
    /// Mail is tried for so long.
    package var ageSeconds: Int64 = 432_000
    /// After so long a delay may be reported; nil: never.
    package var warnSeconds: Int64? = 14_400

    package init() {}
}
