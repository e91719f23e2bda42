// SPDX-License-Identifier: Apache-2.0
//
// What the operator wants of TLS towards other servers, for all or for one route.

/// How much TLS is demanded of a next hop, before anything is known of it.
package enum TLSPreference: String, Hashable, CaseIterable, Sendable {
    /// STARTTLS is not used, whatever is offered.
    case none
    /// TLS when it is offered; nobody is verified, and DANE and MTA-STS are not looked at.
    case opportunistic
    /// TLS always; nobody is verified.
    case encrypted
    /// TLS always, with a certificate that an authority gave to the host.
    case verified
    /// What the domain publishes by DANE or MTA-STS, and TLS when it is offered where it
    /// publishes nothing.
    case published = "dane-and-sts"
}
