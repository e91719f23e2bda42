// SPDX-License-Identifier: Apache-2.0
//
// Tokens: OAUTHBEARER (RFC 7628), and XOAUTH2 as Google describes it. Both send pairs of a key and
// a value, and are told in a challenge of its own that a token is no good; the client answers that
// with a message without meaning, and the exchange fails.

internal import MailBytes

/// The server's side of OAUTHBEARER and XOAUTH2.
struct BearerMechanism: ServerMechanism {
    /// Which of the two it is.
    enum Form: Equatable, BitwiseCopyable {
        /// RFC 7628: a GS2 header is in front, and the name in it.
        case oauthBearer
        /// The name is the value of `user`.
        case xoauth2
    }

    private let form: Form
    /// Whether the exchange fails whatever the client says next.
    private var isRefused = false

    init(_ form: Form) { self.form = form }

    mutating func receive(
        _ message: borrowing Span<UInt8>,
        _ material: inout SASLMaterial
    ) -> SASLExchange.Effect {
        guard !self.isRefused else { return .failed(.rejected) }
        var start = 0
        if self.form == .oauthBearer {
            // There is no OAUTHBEARER-PLUS, so `y` is as good as `n`.
            guard let header = GS2Header(message),
                header.flag == .unsupported
                    || header.flag == .unoffered,
                header.end < message.count, message[header.end] == BearerPairs.separator
            else { return .failed(.malformed) }
            if let range = header.authorizationIdentity {
                guard let name = message.saslName(in: range) else { return .failed(.malformed) }
                material.identity = name
            }
            start = header.end + 1
        }
        guard let pairs = BearerPairs(message, from: start), let value = pairs.authorization else {
            return .failed(.malformed)
        }
        if self.form == .xoauth2 {
            guard let user = pairs.user,
                (1...SASLLimits.nameOctetsMax).contains(user.count)
            else { return .failed(.malformed) }
            material.identity = message.copy(user)
        }
        // RFC 7628, section 4.3: without a token, a client asks what the server would have.
        guard !value.isEmpty else { return self.refuse(&material) }
        guard let token = message.bearerToken(in: value),
            token.count <= SASLLimits.tokenOctetsMax
        else { return .failed(.malformed) }
        material.secret = message.copy(token)
        return .ask(.verifyToken)
    }

    mutating func answer(
        _ answer: borrowing SASLAnswer,
        _ material: inout SASLMaterial
    ) -> SASLExchange.Effect {
        switch copy answer {
        case .accepted: return .succeeded
        case .rejected: return self.refuse(&material)
        case .temporaryFailure, .throttled, .unusable:
            return .failed(answer.failure ?? .temporary)
        case .scramKeys, .scramVerified, .challenge:
            preconditionFailure("this is no answer to the question")
        }
    }

    /// Says in a challenge that the token is no good (RFC 7628, section 3.2.2).
    private mutating func refuse(_ material: inout SASLMaterial) -> SASLExchange.Effect {
        self.isRefused = true
        SASLMaterial.wipe(&material.secret)
        let status: StaticString =
            switch self.form {
            case .oauthBearer: #"{"status":"invalid_token"}"#
            case .xoauth2: #"{"status":"401","schemes":"bearer"}"#
            }
        material.challenge = Array(status.description.utf8)
        return .challenge
    }
}
