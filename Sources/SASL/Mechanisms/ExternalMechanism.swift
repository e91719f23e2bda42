// SPDX-License-Identifier: Apache-2.0
//
// EXTERNAL (RFC 4422, appendix A): the client says at most as whom it acts; who it is was settled
// below, by its certificate.

internal import MailBytes

/// The server's side of EXTERNAL.
struct ExternalMechanism: ServerMechanism {
    mutating func receive(
        _ message: borrowing Span<UInt8>,
        _ material: inout SASLMaterial
    ) -> SASLExchange.Effect {
        guard message.count <= SASLLimits.nameOctetsMax, message.firstIndex(of: 0) == nil else {
            return .failed(.malformed)
        }
        material.authorizationIdentity = message.copy()
        return .ask(.verifyCertificate)
    }
}
