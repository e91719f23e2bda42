// SPDX-License-Identifier: Apache-2.0

internal import MailStore
internal import MailSyntax
internal import SASL

/// How a login ends, or what the client must answer next.
enum LoginOutcome: Sendable {
    case accepted(LoggedInAccount)
    /// The proof is not good, for whatever reason.
    case refused
    /// Too many logins failed lately; nothing was looked at.
    case throttled
    /// The server cannot tell at present.
    case temporaryFailure
    /// The account, or the connection, has nothing that the mechanism could be checked against.
    case unusable
}

/// Who has logged in.
struct LoggedInAccount: Hashable, Sendable {
    let id: AccountID
    let address: Address
}

extension LoginOutcome {
    /// Gives `body` the outcome in the words of an exchange, which borrow its octets.
    func answer<Result>(_ body: (borrowing SASLAnswer) -> Result) -> Result {
        switch self {
        case .accepted: body(.accepted)
        case .refused: body(.rejected)
        case .throttled: body(.throttled)
        case .temporaryFailure: body(.temporaryFailure)
        case .unusable: body(.unusable)
        }
    }
}
