// SPDX-License-Identifier: Apache-2.0
//
// What mechanisms leave for the next step and for who answers their questions. The mechanisms
// themselves are trivial values, so that none of this is ever copied.

internal import MailBytes

/// The octets of one exchange.
struct SASLMaterial {
    /// Who logs in.
    var identity: [UInt8] = []
    /// As whom; empty when the client does not say.
    var authorizationIdentity: [UInt8] = []
    /// A password, a proof, a digest or a token.
    var secret: [UInt8] = []
    /// What a proof or a digest is made over.
    var message: [UInt8] = []
    /// What is to be sent, before base64.
    var challenge: [UInt8] = []
    /// SCRAM: both parts of the nonce.
    var nonce: [UInt8] = []
    /// SCRAM: what the client must have bound itself to, the GS2 header and the channel's data.
    var binding: [UInt8] = []

    /// Keeps who logged in and gives the rest of the memory back.
    ///
    /// A session goes on for long after its login, and the secret is not to stay in memory.
    mutating func conclude() {
        Self.wipe(&self.secret)
        self.message = []
        self.challenge = []
        self.nonce = []
        self.binding = []
    }

    /// Overwrites octets and gives their memory back.
    static func wipe(_ octets: inout [UInt8]) {
        for index in octets.indices { octets[index] = 0 }
        octets = []
    }

    /// Whether the client acts as itself.
    ///
    /// Nobody may act as somebody else here: an administrator has other ways.
    var actsAsItself: Bool {
        self.authorizationIdentity.isEmpty || self.authorizationIdentity == self.identity
    }
}
