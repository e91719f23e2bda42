// SPDX-License-Identifier: Apache-2.0
//
// What a session sends, and what the answer to a question is found from. Each span is empty when
// the exchange has no such thing.

public import MailBytes

extension SASLExchange {
    /// Appends the base64 text of the challenge, nothing around it.
    public func appendChallenge(to replies: inout ReplyBuffer) {
        replies.append(Base64.encode(self.material.challenge))
    }

    /// The name of who logs in, as the client gave it (authcid); stays after success.
    public var identity: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.material.identity.span }
    }

    /// As whom the client wants to act (authzid); empty: as itself.
    public var authorizationIdentity: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.material.authorizationIdentity.span }
    }

    /// The password while `.verifyPassword` is unanswered.
    public var password: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.material.secret.span }
    }

    /// What the proofs of a SCRAM exchange are made over (RFC 5802, section 3, AuthMessage), while
    /// `.verifySCRAMProof` is unanswered.
    public var authMessage: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.material.message.span }
    }

    /// The client's proof, as long as its hash, while `.verifySCRAMProof` is unanswered.
    public var clientProof: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.material.secret.span }
    }

    /// What CRAM-MD5 challenged the client with, while `.verifyDigest` is unanswered.
    public var serverChallenge: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.material.message.span }
    }

    /// 32 lower-case hexadecimal digits while `.verifyDigest` is unanswered.
    public var digest: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.material.secret.span }
    }

    /// The token while `.verifyToken` is unanswered.
    public var token: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.material.secret.span }
    }
}
