// SPDX-License-Identifier: Apache-2.0
//
// Judges one login against what the account holds. It takes milliseconds on purpose, the same for
// an account that does not exist, and runs on a worker.

package import Credentials
internal import MailStore

extension LoginAttempt {
    /// The verdict on this attempt.
    package func judge() -> PasswordVerdict {
        switch self.proof {
        case .password(let password):
            guard let account = self.account, let text = account.verifier,
                let record = PasswordRecord(text: text)
            else {
                PasswordRecord.spendTime(on: password)
                return PasswordVerdict(isValid: false)
            }
            switch record.verify(password) {
            case .valid: return PasswordVerdict(isValid: true)
            case .validRehash(let better):
                return PasswordVerdict(isValid: true, betterRecord: better)
            case .invalid: return PasswordVerdict(isValid: false)
            }
        case .apop(let timestamp, let digest):
            // An account without a recoverable secret is compared with one that nobody knows.
            let secret = self.account?.recoverableSecret
            let matches = apopDigestMatches(
                timestamp: timestamp,
                secret: secret ?? randomOctets(16),
                digest: digest
            )
            return PasswordVerdict(isValid: matches && secret != nil)
        }
    }
}
