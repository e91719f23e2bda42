// SPDX-License-Identifier: Apache-2.0
//
// What a sender may ask for in the envelope, beside the paths: reports of what became of the
// message (RFC 3461), and how its content is to be carried (RFC 6152, RFC 6531, RFC 8689).

/// The conditions under which the sender wants a report on a recipient (NOTIFY, RFC 3461, 4.1).
///
/// Empty: nothing was asked for, and failures are reported.
public struct NotifyConditions: OptionSet, Hashable, BitwiseCopyable, Sendable {
    /// The bits.
    public let rawValue: UInt8

    /// Conditions from their bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// NEVER: no report at all; it stands alone.
    public static let never = NotifyConditions(rawValue: 1)
    /// SUCCESS.
    public static let success = NotifyConditions(rawValue: 2)
    /// FAILURE.
    public static let failure = NotifyConditions(rawValue: 4)
    /// DELAY.
    public static let delay = NotifyConditions(rawValue: 8)

    /// Whether a failure is to be reported.
    public var wantsFailure: Bool { self.isEmpty || self.contains(.failure) }

    /// Whether a delay is to be reported (RFC 3461, section 4.1: up to the server when nothing was
    /// asked for).
    public var wantsDelay: Bool { self.isEmpty || self.contains(.delay) }
}

/// How much of the message a report of a failure gives back (RET, RFC 3461, section 4.3).
public enum ReturnedContent: UInt8, Hashable, BitwiseCopyable, Sendable {
    /// Nothing was asked for.
    case unspecified = 0
    /// HDRS.
    case headers = 1
    /// FULL.
    case full = 2
}

/// What the content is made of (BODY, RFC 6152).
public enum BodyType: UInt8, Hashable, BitwiseCopyable, Sendable {
    /// Seven-bit octets in lines.
    case sevenBit = 0
    /// Octets in lines.
    case eightBitMIME = 1
}

/// What the envelope asks for, for all recipients.
public struct EnvelopeOptions: Hashable, Sendable {
    /// The content, as declared or found.
    public var body = BodyType.sevenBit
    /// Whether mailboxes or header fields need SMTPUTF8 (RFC 6531).
    public var needsUTF8 = false
    /// Whether it may pass over verified TLS only (REQUIRETLS, RFC 8689).
    public var requiresTLS = false
    /// RET.
    public var returnedContent = ReturnedContent.unspecified
    /// ENVID as it came, in xtext; empty: none.
    public var envelopeID: [UInt8] = []

    /// Nothing asked for.
    public init() {}
}
