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
        case .apop(let timestamp, let digest):
            self.judge { apopDigestMatches(timestamp: timestamp, secret: $0, digest: digest) }
        case .cramMD5(let challenge, let digest):
            self.judge { cramMD5Matches(challenge: challenge, secret: $0, digest: digest) }
        case .token(let token, let verifier, let now):
            self.judge(verifier.verify(token, now: now))
        case .scram, .certificate: preconditionFailure("this is checked on the loop")
        }
    }

    private func judge(_ result: Result<TokenIdentity, TokenRefusal>) -> PasswordVerdict {
        guard case .success(let identity) = result else { return PasswordVerdict(isValid: false) }
        return PasswordVerdict(isValid: true, identity: identity.name)
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

    /// An account without a recoverable secret is compared with one that nobody knows.
    private func judge(_ matches: (_ secret: [UInt8]) -> Bool) -> PasswordVerdict {
        let secret = self.account?.recoverableSecret
        let isMatch = matches(secret ?? randomOctets(16))
        return PasswordVerdict(isValid: isMatch && secret != nil)
    }
}
