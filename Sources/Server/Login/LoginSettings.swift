// SPDX-License-Identifier: Apache-2.0

package import Credentials

/// What logins need of the operator.
package struct LoginSettings: Sendable {
    /// Those whose tokens are believed.
    package var tokens = TokenVerifier(issuers: [])
    /// From this the salts of accounts are made that do not exist.
    ///
    /// It must outlive the process, or
    /// salts would change when it is started again, and only those.
    package var secret = randomOctets(32)

    package init() {}
}
