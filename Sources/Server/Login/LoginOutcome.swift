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
    /// What the client's proof will be made with.
    case scramKeys(SCRAMOffer)
    /// The proof is right; the client may check ours.
    case scramVerified(signature: [UInt8], LoggedInAccount)
    /// CRAM-MD5: what the client must answer.
    case challenge([UInt8])

    /// Who has logged in.
    var account: LoggedInAccount? {
        switch self {
        case .accepted(let account), .scramVerified(_, let account): account
        case .refused, .throttled, .temporaryFailure, .unusable, .scramKeys, .challenge: nil
        }
    }
}

/// The first message of a SCRAM server, in parts.
struct SCRAMOffer: Sendable {
    let salt: [UInt8]
    let iterations: Int
    let nonce: [UInt8]
    /// Empty when the client does not bind itself to the channel, or cannot.
    let channelBinding: [UInt8]
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
        case .scramKeys(let offer):
            body(
                .scramKeys(
                    salt: offer.salt.span,
                    iterations: offer.iterations,
                    nonce: offer.nonce.span,
                    channelBinding: offer.channelBinding.span
                )
            )
        case .scramVerified(let signature, _):
            body(.scramVerified(serverSignature: signature.span))
        case .challenge(let text): body(.challenge(text.span))
        }
    }
}
