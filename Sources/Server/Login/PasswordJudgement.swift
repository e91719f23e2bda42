// SPDX-License-Identifier: Apache-2.0
//
// Judges one login against what the account holds. It takes milliseconds on purpose, the same for
// an account that does not exist, and runs on a worker.

internal import Credentials
internal import MailStore

extension LoginAttempt {
    /// The verdict on this attempt.
    package func judge() -> PasswordVerdict {
        switch self.proof {
        case .password(let password): self.judge(password)
        case .apop(let timestamp, let digest): self.judge(timestamp, digest)
        }
    }

    private func judge(_ password: [UInt8]) -> PasswordVerdict {
        // An account with an empty verifier, as postmaster's is at first, has no password.
        guard let account = self.account, let record = PasswordRecord(text: account.verifier)
        else {
            PasswordRecord.spendTime(on: password)
            return PasswordVerdict(isValid: false)
        }
        return switch record.verify(password) {
        case .valid: PasswordVerdict(isValid: true)
        case .validRehash(let better): PasswordVerdict(isValid: true, betterRecord: better)
        case .invalid: PasswordVerdict(isValid: false)
        }
    }

    private func judge(_ timestamp: [UInt8], _ digest: [UInt8]) -> PasswordVerdict {
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
