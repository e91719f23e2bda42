// SPDX-License-Identifier: Apache-2.0
//
// What TLS was like on a connection, in words for the log and for `martlet queue show`.

/// What came of TLS with a host.
package struct TLSOutcome: Hashable, Sendable {
    /// Whether somebody was verified.
    package enum Verification: Hashable, Sendable {
        case notAsked
        case verified
        case failed(String)
    }

    /// Such as `TLSv1.3`; nil without TLS.
    package var version: String?
    package var cipher: String
    package var verification: Verification
    package var source: TLSPolicy.Source

    package init(
        version: String?,
        cipher: String = "",
        verification: Verification = .notAsked,
        source: TLSPolicy.Source = .preference
    ) {
        self.version = version
        self.cipher = cipher
        self.verification = verification
        self.source = source
    }
}

extension TLSOutcome: CustomStringConvertible {
    /// Such as `TLSv1.3 TLS_AES_256_GCM_SHA384, verified (DANE)`.
    package var description: String {
        guard let version = self.version else {
            if case .failed(let reason) = self.verification { return "TLS failed: \(reason)" }
            return "no TLS"
        }
        let name = self.cipher.isEmpty ? version : "\(version) \(self.cipher)"
        return switch self.verification {
        case .notAsked: "\(name), not verified"
        case .verified: "\(name), verified (\(self.source.rawValue))"
        case .failed(let reason): "\(name), refused (\(self.source.rawValue)): \(reason)"
        }
    }
}
