// SPDX-License-Identifier: Apache-2.0
//
// SCRAM takes two steps: the keys that the client's proof will be made with, then the proof. Both
// are done on the loop, because they cost a few hashes.

internal import Credentials
internal import EventLoop
internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import SASL

extension Authenticator {
    /// Characters of the server's part of the nonce, four for three octets.
    private static let nonceOctets = 24

    /// Gives the client its salt; who does not exist, or has no keys, has one that stays the same.
    func offer(
        _ login: inout Login,
        _ mechanism: SCRAMKeys.Mechanism,
        _ channelBinding: [UInt8]?
    ) -> LoginOutcome {
        // Both are made in any case: the time must not tell whether there is an account.
        let record = login.account.flatMap { PasswordRecord(text: $0.verifier) }
        let own = record?.scramKeys(mechanism)
        let fake = SCRAMKeys.fake(
            mechanism,
            identity: login.address?.octets ?? login.name,
            secret: self.settings.secret
        )
        guard let keys = own ?? fake else { return .temporaryFailure }
        if own == nil { login.account = nil }
        login.stage = .offered(keys)
        return .scramKeys(
            SCRAMOffer(
                salt: keys.salt,
                iterations: keys.iterations,
                nonce: Base64.encode(randomOctets(Self.nonceOctets)),
                channelBinding: channelBinding ?? []
            )
        )
    }

    /// Holds the client's proof against the keys it was offered.
    func prove(
        _ login: inout Login,
        _ proof: [UInt8],
        _ message: [UInt8],
        on stream: any ByteStream,
        _ ticket: Ticket
    ) -> LoginOutcome? {
        guard case .offered(let keys) = login.stage else { return .temporaryFailure }
        login.startedAt = self.now
        guard !self.isBanned(stream) else { return self.turnAway(&login, ticket) }
        if let address = login.address, self.isOutdated(address, since: login.readAt) {
            // The salt that the client used may be of the past.
            return .temporaryFailure
        }
        let signature = keys.verify(clientProof: proof, authMessage: message)
        guard let signature, let record = login.account else {
            return self.refuse(&login, on: stream, ticket)
        }
        let account = LoggedInAccount(id: record.id, address: record.address)
        _ = self.succeed(account, on: stream)
        return .scramVerified(signature: signature, account)
    }
}

extension SCRAMKeys.Mechanism {
    init(_ hash: SCRAMHash) {
        switch hash {
        case .sha256: self = .sha256
        case .sha1: self = .sha1
        }
    }
}
