// SPDX-License-Identifier: Apache-2.0
//
// SCRAM (RFC 5802) with SHA-1 or SHA-256 (RFC 7677), with and without channel binding. The keys,
// the hashing and the server's nonce are the driver's; here are the messages and their order.
//
// A failed exchange ends with the failure reply of the protocol that carries it; the error
// attribute of a server-final-message, which is optional, is not sent: it would tell which part of
// the credentials was wrong.

internal import MailBytes

/// The server's side of SCRAM.
struct SCRAMMechanism: ServerMechanism {
    private enum Phase: Equatable, BitwiseCopyable {
        /// Leaves on: the client-first-message.
        case awaitingFirst
        /// Leaves on: keys.
        case awaitingKeys
        /// Leaves on: the client-final-message.
        case awaitingFinal
        /// Leaves on: the verdict about the proof.
        case awaitingVerdict
        /// The server's signature is out. Leaves on: the client's empty response.
        case awaitingAcknowledgement
    }

    private let hash: SCRAMHash
    /// Whether the mechanism's name ends in -PLUS.
    private let bindsChannel: Bool
    /// Whether a mechanism whose name does was announced.
    private let offersChannelBinding: Bool
    private var phase = Phase.awaitingFirst
    private var isBound = false

    init(_ hash: SCRAMHash, bindsChannel: Bool, offersChannelBinding: Bool) {
        self.hash = hash
        self.bindsChannel = bindsChannel
        self.offersChannelBinding = offersChannelBinding
    }

    mutating func receive(
        _ message: borrowing Span<UInt8>,
        _ material: inout SASLMaterial
    ) -> SASLExchange.Effect {
        switch self.phase {
        case .awaitingFirst: return self.receiveFirst(message, &material)
        case .awaitingFinal: return self.receiveFinal(message, &material)
        case .awaitingAcknowledgement:
            return message.isEmpty ? .succeeded : .failed(.malformed)
        case .awaitingKeys, .awaitingVerdict:
            preconditionFailure("a question is answered before the next message")
        }
    }

    mutating func answer(
        _ answer: borrowing SASLAnswer,
        _ material: inout SASLMaterial
    ) -> SASLExchange.Effect {
        if let failure = answer.failure { return .failed(failure) }
        switch (self.phase, copy answer) {
        case (.awaitingKeys, .scramKeys(let salt, let iterations, let nonce, let binding)):
            return self.sendFirst(salt, iterations, nonce, binding, &material)
        case (.awaitingVerdict, .scramVerified(let signature)):
            material.challenge = Array("v=".utf8) + Base64.encode(signature)
            self.phase = .awaitingAcknowledgement
            return .challenge
        default: preconditionFailure("this is no answer to the question")
        }
    }
}

// MARK: - First messages

extension SCRAMMechanism {
    /// `gs2-header n=name,r=nonce`, perhaps with extensions.
    private mutating func receiveFirst(
        _ message: borrowing Span<UInt8>,
        _ material: inout SASLMaterial
    ) -> SASLExchange.Effect {
        guard let header = GS2Header(message) else { return .failed(.malformed) }
        var attributes = SCRAMAttributes(at: header.end)
        // RFC 5802, section 5.1: an `m=` in front is an extension that must be understood, and
        // none is. It is in the place of the name.
        guard let name = attributes.take("n", of: message),
            let identity = message.saslName(in: name),
            let nonce = attributes.take("r", of: message),
            (1...SASLLimits.nonceOctetsMax).contains(nonce.count),
            nonce.indices.allSatisfy({ Self.isNonceOctet(message[$0]) }),
            attributes.skipExtensions(before: nil, of: message)
        else { return .failed(.malformed) }
        material.identity = identity
        if let range = header.authorizationIdentity {
            guard let name = message.saslName(in: range) else { return .failed(.malformed) }
            material.authorizationIdentity = name
            guard material.actsAsItself else { return .failed(.rejected) }
        }
        material.binding = message.copy(ByteRange(0, header.end))
        material.message = message.copy(ByteRange(header.end, message.count))
        material.nonce = message.copy(nonce)
        self.phase = .awaitingKeys
        return self.askForKeys(header.flag, message)
    }

    /// RFC 5802, section 6: what the client says about channel binding must fit the mechanism it
    /// chose and what it was offered.
    private mutating func askForKeys(
        _ flag: GS2Header.Flag,
        _ message: borrowing Span<UInt8>
    ) -> SASLExchange.Effect {
        switch flag {
        case .unsupported where !self.bindsChannel: break
        case .unoffered where !self.bindsChannel:
            // Somebody in between has taken the -PLUS out of what was announced.
            guard !self.offersChannelBinding else { return .failed(.rejected) }
        case .required(let name) where self.bindsChannel:
            guard
                let binding = SASLChannelBinding.allCases.first(where: {
                    message.matchesExactly($0.name, in: name)
                })
            else { return .failed(.malformed) }
            self.isBound = true
            return .ask(.findSCRAMKeys(self.hash, channelBinding: binding))
        case .unsupported, .unoffered, .required: return .failed(.malformed)
        }
        return .ask(.findSCRAMKeys(self.hash, channelBinding: nil))
    }

    /// `r=nonce,s=salt,i=iterations`.
    private mutating func sendFirst(
        _ salt: borrowing Span<UInt8>,
        _ iterations: Int,
        _ nonce: borrowing Span<UInt8>,
        _ binding: borrowing Span<UInt8>,
        _ material: inout SASLMaterial
    ) -> SASLExchange.Effect {
        precondition(!salt.isEmpty && iterations > 0 && !nonce.isEmpty, "keys have all parts")
        precondition(self.isBound || binding.isEmpty, "no channel binding was asked for")
        // The channel has no such data: TLS 1.2 without an extended master secret, for example.
        guard !self.isBound || !binding.isEmpty else { return .failed(.malformed) }
        material.binding.append(binding)
        for index in nonce.indices {
            precondition(Self.isNonceOctet(nonce[index]), "a nonce is printable")
            material.nonce.append(nonce[index])
        }
        material.challenge = Array("r=".utf8) + material.nonce + Array(",s=".utf8)
        material.challenge += Base64.encode(salt)
        material.challenge += Array(",i=\(iterations)".utf8)
        material.message.append(UInt8(ascii: ","))
        material.message += material.challenge
        self.phase = .awaitingFinal
        return .challenge
    }

    /// Printable ASCII but for the comma.
    private static func isNonceOctet(_ octet: UInt8) -> Bool {
        (0x21...0x7e).contains(octet) && octet != UInt8(ascii: ",")
    }
}

// MARK: - Final messages

extension SCRAMMechanism {
    /// `c=binding,r=nonce,p=proof`, perhaps with extensions before the proof.
    private mutating func receiveFinal(
        _ message: borrowing Span<UInt8>,
        _ material: inout SASLMaterial
    ) -> SASLExchange.Effect {
        var attributes = SCRAMAttributes(at: 0)
        guard let binding = attributes.take("c", of: message),
            let nonce = attributes.take("r", of: message),
            attributes.skipExtensions(before: "p", of: message)
        else { return .failed(.malformed) }
        let withoutProof = ByteRange(0, attributes.next - 1)
        guard let proof = attributes.take("p", of: message), attributes.isAtEnd,
            let bound = Base64.decode(message.extracting(binding.indices)),
            let secret = Base64.decode(message.extracting(proof.indices)),
            secret.count == self.hash.octetCount
        else { return .failed(.malformed) }
        // RFC 5802, section 5.1: first the header and the channel, then the nonce, then the proof.
        // Nothing of this is secret, so the comparison may take any time.
        guard bound == material.binding else { return .failed(.rejected) }
        guard message.copy(nonce) == material.nonce else { return .failed(.rejected) }
        material.secret = secret
        material.message.append(UInt8(ascii: ","))
        material.message += message.copy(withoutProof)
        self.phase = .awaitingVerdict
        return .ask(.verifySCRAMProof(self.hash))
    }
}

extension Span where Element == UInt8 {
    /// Whether the octets of `range` are `literal`, in its case of letters.
    fileprivate func matchesExactly(_ literal: StaticString, in range: ByteRange) -> Bool {
        self.matches(literal, in: range)
            && range.indices.allSatisfy { self[$0] == self[$0].lowercasedASCII }
    }
}
