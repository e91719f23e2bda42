// SPDX-License-Identifier: Apache-2.0
//
// What a server says it can, in the lines of its reply to EHLO or LHLO (RFC 5321, section 4.1.1.1).

public import SASL

/// The service extensions that a server announced, as far as a client has a use for them.
public struct SMTPExtensions: Equatable, Sendable {
    /// Extensions that are there or not.
    public struct Keywords: OptionSet, Equatable, BitwiseCopyable, Sendable {
        /// The bits.
        public let rawValue: UInt16

        /// Keywords from their bits.
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// RFC 2920.
        public static let pipelining = Keywords(rawValue: 1)
        /// RFC 1870, with or without a maximum.
        public static let size = Keywords(rawValue: 2)
        /// RFC 6152.
        public static let eightBitMIME = Keywords(rawValue: 4)
        /// RFC 6531.
        public static let smtpUTF8 = Keywords(rawValue: 8)
        /// RFC 8689.
        public static let requireTLS = Keywords(rawValue: 16)
        /// RFC 3030.
        public static let chunking = Keywords(rawValue: 32)
        /// RFC 3207.
        public static let startTLS = Keywords(rawValue: 64)
        /// RFC 3461.
        public static let dsn = Keywords(rawValue: 128)
        /// RFC 2034.
        public static let enhancedStatusCodes = Keywords(rawValue: 256)
        /// RFC 1985.
        public static let etrn = Keywords(rawValue: 512)
    }

    /// What was announced.
    public internal(set) var keywords: Keywords = []
    /// The largest message (RFC 1870); nil: not said.
    public internal(set) var messageOctetsMax: Int?
    /// The mechanisms of AUTH that are known here (RFC 4954).
    public internal(set) var mechanisms: SASLMechanismSet = []
    /// RCPTMAX (RFC 9422): how many recipients a transaction may have; nil: not said.
    public internal(set) var recipientsMax: Int?
    /// MAILMAX (RFC 9422): how many transactions a session may have; nil: not said.
    public internal(set) var transactionsMax: Int?

    /// None.
    public init() {}
}
