// SPDX-License-Identifier: Apache-2.0
//
// Which mechanisms a listener has, or a session may use at present.

public import MailBytes

/// A set of mechanisms.
public struct SASLMechanismSet: OptionSet, BitwiseCopyable, Sendable {
    /// A bit for each mechanism, the most preferred one lowest.
    public let rawValue: Int16

    /// The set of these bits.
    public init(rawValue: Int16) { self.rawValue = rawValue }

    /// The set of one mechanism.
    public init(_ mechanism: SASLMechanism) { self.rawValue = 1 << Int16(mechanism.rawValue) }

    /// SCRAM-SHA-256-PLUS alone.
    public static let scramSHA256Plus = Self(.scramSHA256Plus)
    /// SCRAM-SHA-256 alone.
    public static let scramSHA256 = Self(.scramSHA256)
    /// SCRAM-SHA-1 alone.
    public static let scramSHA1 = Self(.scramSHA1)
    /// EXTERNAL alone.
    public static let external = Self(.external)
    /// OAUTHBEARER alone.
    public static let oauthBearer = Self(.oauthBearer)
    /// XOAUTH2 alone.
    public static let xoauth2 = Self(.xoauth2)
    /// CRAM-MD5 alone.
    public static let cramMD5 = Self(.cramMD5)
    /// PLAIN alone.
    public static let plain = Self(.plain)
    /// LOGIN alone.
    public static let login = Self(.login)
    /// All mechanisms that there are.
    public static let all: Self = [
        .scramSHA256Plus, .scramSHA256, .scramSHA1, .external, .oauthBearer, .xoauth2, .cramMD5,
        .plain, .login,
    ]
    /// Those whose exchange gives the secret away (`SASLMechanism.showsSecret`).
    public static let showingSecret: Self = [.plain, .login, .oauthBearer, .xoauth2]

    /// Whether a mechanism is in the set.
    public func contains(_ mechanism: SASLMechanism) -> Bool {
        self.contains(Self(mechanism))
    }

    /// Calls `body` with each mechanism, the most preferred one first.
    public func forEach(_ body: (SASLMechanism) -> Void) {
        var rest = self.rawValue
        while rest != 0 {
            if let next = SASLMechanism(rawValue: UInt8(rest.trailingZeroBitCount)) { body(next) }
            rest &= rest &- 1
        }
    }

    /// Appends the names, with a space in front of each.
    ///
    /// As EHLO's AUTH keyword (RFC 4954, section 3) and the SASL capability of POP3 (RFC 5034)
    /// take them.
    public func appendNames(to replies: inout ReplyBuffer) {
        self.forEach { mechanism in
            replies.append(.space)
            replies.append(mechanism.name)
        }
    }
}
