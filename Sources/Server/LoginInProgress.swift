// SPDX-License-Identifier: Apache-2.0
//
// One POP3 login between the command and its answer.

internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import POP3Protocol

/// What the client showed, and which account it turned out to be.
struct LoginInProgress {
    /// The name as the client gave it, for the log.
    let name: [UInt8]
    /// The address the name stands for; nil when it cannot be one.
    let address: Address?
    let proof: LoginAttempt.Proof
    let startedAt: Double
    var account: AccountRecord?
    /// When the account was read, in the order of changes.
    var readAt: AccountChanges.Moment = 0
    /// How often the account changed while the password was being checked.
    var restarts = 0

    /// An account that changes more often than this during one login is taken to be in trouble.
    static let restartsMax = 3
}
