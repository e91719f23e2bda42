// SPDX-License-Identifier: Apache-2.0
//
// One login between the client's words and its end, whatever the protocol and the mechanism.

internal import Credentials
internal import MailBytes
internal import MailStore
internal import MailSyntax

/// What the client showed, and which account it turned out to be.
struct Login {
    /// What happens to it next.
    enum Stage {
        /// Nothing has been done.
        case begun
        /// Others fail at this account; a stranger is not heard at once.
        case waiting
        /// The store was asked for the account.
        case reading
        /// A worker was asked whether the proof is good.
        case judging
        /// The client has the salt, and will send a proof that fits these keys or not.
        case offered(SCRAMKeys)
        /// It has failed, and the answer is not due yet.
        case refused(LoginOutcome)
    }

    /// The name as the client gave it, for the log.
    let name: [UInt8]
    let proof: LoginAttempt.Proof
    /// What the client speaks, for the log.
    let service: StaticString
    /// The address the name stands for; nil when it cannot be one.
    var address: Address?
    /// When the client last showed something.
    var startedAt: Double
    var stage = Stage.begun
    var account: AccountRecord?
    /// Whether the client has shown who it is, and only the account is looked for.
    var isProven = false
    /// When the account was read, in the order of changes.
    var readAt: AccountChanges.Moment = 0
    /// How often the account changed while the password was being checked.
    var restarts = 0

    /// An account that changes more often than this during one login is taken to be in trouble.
    static let restartsMax = 3

    init(
        name: [UInt8],
        proof: LoginAttempt.Proof,
        service: StaticString,
        address: Address?,
        startedAt: Double
    ) {
        self.name = name
        self.proof = proof
        self.service = service
        self.address = address
        self.startedAt = startedAt
    }
}
