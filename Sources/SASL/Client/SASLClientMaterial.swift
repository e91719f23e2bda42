// SPDX-License-Identifier: Apache-2.0

/// The octets of one exchange of a client.
struct SASLClientMaterial {
    /// What is to be sent, before base64.
    var response: [UInt8] = []
    /// The password that LOGIN sends second.
    var secret: [UInt8] = []
    /// What a proof or a digest is made over.
    var message: [UInt8] = []
    /// SCRAM: the client's part of the nonce.
    var nonce: [UInt8] = []
    /// SCRAM: the GS2 header and the channel's data.
    var binding: [UInt8] = []
    /// SCRAM.
    var salt: [UInt8] = []
    /// SCRAM.
    var iterations = 0
    /// SCRAM: what the server must show.
    var serverSignature: [UInt8] = []

    /// Overwrites what is secret, and gives all memory back.
    mutating func wipe() {
        SASLMaterial.wipe(&self.secret)
        SASLMaterial.wipe(&self.response)
        self = SASLClientMaterial()
    }
}
