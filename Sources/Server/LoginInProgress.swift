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

    init(
        name: borrowing Span<UInt8>,
        secret: borrowing Span<UInt8>,
        timestamp: borrowing Span<UInt8>,
        method: POP3ServerSession.LoginMethod,
        directory: borrowing AddressDirectory,
        startedAt: Double
    ) {
        self.name = name.copy()
        self.address = directory.address(name)
        self.proof =
            switch method {
            case .password: .password(secret.copy())
            case .apop: .apop(timestamp: timestamp.copy(), digest: secret.copy())
            }
        self.startedAt = startedAt
    }
}
