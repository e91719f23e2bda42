// SPDX-License-Identifier: Apache-2.0
//
// The mechanisms by their registered names (RFC 4422, section 3.1).

internal import MailBytes

/// A SASL mechanism, in the order in which a server should prefer them.
public enum SASLMechanism: UInt8, CaseIterable, BitwiseCopyable, Sendable {
    /// RFC 7677 with channel binding (RFC 5802, section 6).
    case scramSHA256Plus
    /// RFC 7677.
    case scramSHA256
    /// RFC 5802.
    case scramSHA1
    /// RFC 4422, appendix A.
    case external
    /// RFC 7628.
    case oauthBearer
    /// Google's forerunner of OAUTHBEARER.
    case xoauth2
    /// RFC 2195.
    case cramMD5
    /// RFC 4616.
    case plain
    /// Never standardised, and the only one that some clients know.
    case login

    /// The name in capital letters, as it is announced.
    public var name: StaticString {
        switch self {
        case .scramSHA256Plus: "SCRAM-SHA-256-PLUS"
        case .scramSHA256: "SCRAM-SHA-256"
        case .scramSHA1: "SCRAM-SHA-1"
        case .external: "EXTERNAL"
        case .oauthBearer: "OAUTHBEARER"
        case .xoauth2: "XOAUTH2"
        case .cramMD5: "CRAM-MD5"
        case .plain: "PLAIN"
        case .login: "LOGIN"
        }
    }

    /// The mechanism of that name, in any case of letters; nil when there is none.
    public init?(name: borrowing Span<UInt8>) {
        let whole = ByteRange(0, name.count)
        for mechanism in Self.allCases where name.matches(mechanism.name, in: whole) {
            self = mechanism
            return
        }
        return nil
    }

    /// Whether who reads the exchange can log in with what he has read.
    ///
    /// Not to be used without TLS, unless the operator says so.
    public var showsSecret: Bool {
        switch self {
        case .plain, .login, .oauthBearer, .xoauth2: true
        case .scramSHA256Plus, .scramSHA256, .scramSHA1, .external, .cramMD5: false
        }
    }
}
