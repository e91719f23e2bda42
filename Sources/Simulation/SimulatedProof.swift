// SPDX-License-Identifier: Apache-2.0

internal import MailBytes

/// What clients of a simulation show to log in.
enum SimulatedProof {
    /// The initial response of PLAIN (RFC 4616).
    static func plain(_ user: String, _ password: String) -> String {
        let octets = [0] + Array(user.utf8) + [0] + Array(password.utf8)
        return String(decoding: Base64.encode(octets), as: UTF8.self)
    }
}
