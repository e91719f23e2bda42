// SPDX-License-Identifier: Apache-2.0
//
// SCRAM (RFC 5802) with SHA-1 or SHA-256 (RFC 7677), with and without channel binding, from the
// client's side. The hashing and the nonce are the driver's; here are the messages and their order.

internal import MailBytes

/// The client's side of SCRAM.
struct SCRAMClient: ClientMechanism {
    /// What the client says about channel binding.
    enum Flag: Equatable, BitwiseCopyable {
        /// `n`: it cannot.
        case none
        /// `y`: it could, and the server did not offer it.
        case could
        /// `p`: it does.
        case bound
    }

    private enum Phase: Equatable, BitwiseCopyable {
        /// Leaves on: a name and a nonce.
        case awaitingName
        /// Leaves on: the server-first-message.
        case awaitingFirst
        /// Leaves on: the proof.
        case awaitingProof
        /// Leaves on: the server-final-message.
        case awaitingFinal
        case done
    }

    private let hash: SCRAMHash
    private let flag: Flag
    private var phase = Phase.awaitingName

    init(_ hash: SCRAMHash, flag: Flag) {
        self.hash = hash
        self.flag = flag
    }

    var isDone: Bool { self.phase == .done }

    mutating func begin(_ material: inout SASLClientMaterial) -> SASLClientExchange.Effect {
        .ask(.beginSCRAM(self.hash, channelBinding: self.flag == .bound ? .tlsExporter : nil))
    }

    mutating func receive(
        _ message: borrowing Span<UInt8>,
        _ material: inout SASLClientMaterial
    ) -> SASLClientExchange.Effect {
        switch self.phase {
        case .awaitingFirst: return self.receiveFirst(message, &material)
        case .awaitingFinal: return self.receiveFinal(message, &material)
        case .done: return .failed(.malformedChallenge)
        case .awaitingName, .awaitingProof:
            preconditionFailure("a question is answered before the next message")
        }
    }

    mutating func answer(
        _ answer: borrowing SASLClientAnswer,
        _ material: inout SASLClientMaterial
    ) -> SASLClientExchange.Effect {
        switch (self.phase, copy answer) {
        case (.awaitingName, .scram(let identity, let nonce, let binding)):
            return self.sendFirst(identity, nonce, binding, &material)
        case (.awaitingProof, .proof(let proof, let signature)):
            precondition(proof.count == self.hash.octetCount, "a proof is as long as its hash")
            material.response += Array(",p=".utf8) + Base64.encode(proof)
            material.serverSignature = signature.copy()
            self.phase = .awaitingFinal
            return .respond
        default: preconditionFailure("this is no answer to the question")
        }
    }

    /// `gs2-header n=name,r=nonce`.
    private mutating func sendFirst(
        _ identity: borrowing Span<UInt8>,
        _ nonce: borrowing Span<UInt8>,
        _ binding: borrowing Span<UInt8>,
        _ material: inout SASLClientMaterial
    ) -> SASLClientExchange.Effect {
        precondition(nonce.count >= 18, "a nonce is long enough to come once only")
        precondition((self.flag == .bound) != binding.isEmpty, "a channel has its data")
        let header =
            switch self.flag {
            case .none: "n,,"
            case .could: "y,,"
            case .bound: "p=tls-exporter,,"
            }
        material.binding = Array(header.utf8)
        material.nonce = nonce.copy()
        material.message = Array("n=".utf8) + Self.escapedName(identity) + Array(",r=".utf8)
        material.message += material.nonce
        material.response = material.binding + material.message
        material.binding.append(binding)
        self.phase = .awaitingFirst
        return .respond
    }

    /// `r=nonce,s=salt,i=iterations`, perhaps with extensions.
    private mutating func receiveFirst(
        _ message: borrowing Span<UInt8>,
        _ material: inout SASLClientMaterial
    ) -> SASLClientExchange.Effect {
        var attributes = SCRAMAttributes(at: 0)
        guard let range = attributes.take("r", of: message),
            let salt = attributes.take("s", of: message),
            let cost = attributes.take("i", of: message),
            attributes.skipExtensions(before: nil, of: message),
            let saltOctets = Base64.decode(message.extracting(salt.indices)), !saltOctets.isEmpty,
            let iterations = message.decimal(in: cost)
        else { return .failed(.malformedChallenge) }
        let nonce = message.copy(range)
        // The server adds to the nonce; without an addition the exchange could be an old one.
        guard nonce.count > material.nonce.count, nonce.starts(with: material.nonce) else {
            return .failed(.serverUnproven)
        }
        guard SASLLimits.iterations.contains(iterations) else { return .failed(.unreasonableCost) }
        material.salt = saltOctets
        material.iterations = iterations
        material.response = Array("c=".utf8) + Base64.encode(material.binding)
        material.response += Array(",r=".utf8) + nonce
        material.message.append(UInt8(ascii: ","))
        material.message.append(message)
        material.message.append(UInt8(ascii: ","))
        material.message += material.response
        self.phase = .awaitingProof
        return .ask(.proveSCRAM(self.hash))
    }

    /// `v=signature`; after `e=` a server has nothing to say.
    private mutating func receiveFinal(
        _ message: borrowing Span<UInt8>,
        _ material: inout SASLClientMaterial
    ) -> SASLClientExchange.Effect {
        var attributes = SCRAMAttributes(at: 0)
        guard let signature = attributes.take("v", of: message),
            attributes.skipExtensions(before: nil, of: message),
            let octets = Base64.decode(message.extracting(signature.indices))
        else { return .failed(.malformedChallenge) }
        guard octets == material.serverSignature else { return .failed(.serverUnproven) }
        material.response = []
        self.phase = .done
        return .respond
    }

    /// A name as RFC 5802, section 5.1, wants it.
    private static func escapedName(_ name: borrowing Span<UInt8>) -> [UInt8] {
        var escaped: [UInt8] = []
        escaped.reserveCapacity(name.count)
        for index in name.indices {
            switch name[index] {
            case UInt8(ascii: ","): escaped += Array("=2C".utf8)
            case UInt8(ascii: "="): escaped += Array("=3D".utf8)
            case let octet: escaped.append(octet)
            }
        }
        return escaped
    }
}
