// SPDX-License-Identifier: Apache-2.0
//
// What a server says it can, in the lines of its reply to EHLO or LHLO (RFC 5321, section 4.1.1.1).

internal import MailBytes
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

extension SMTPExtensions {
    /// Takes a line of the reply, but for its first, without code and line end.
    mutating func take(_ line: borrowing Span<UInt8>) {
        let equals = line.firstIndex(of: UInt8(ascii: "=")) ?? line.count
        let space = line.firstIndex(of: .space) ?? line.count
        // Some servers say `AUTH=LOGIN`, as drafts of RFC 2554 did.
        let end = min(equals, space)
        let keyword = ByteRange(0, end)
        for (name, flag) in Self.names where line.matches(name, in: keyword) {
            self.keywords.insert(flag)
        }
        let parameters = line.extracting(min(end + 1, line.count)..<line.count)
        if line.matches("SIZE", in: keyword) {
            // Zero: there is no fixed maximum (RFC 1870, section 4).
            let octets = Self.number(parameters)
            self.messageOctetsMax = octets == 0 ? nil : octets
        } else if line.matches("AUTH", in: keyword) {
            Self.eachWord(parameters) { name in
                if let mechanism = SASLMechanism(name: name) {
                    self.mechanisms.insert(SASLMechanismSet(mechanism))
                }
            }
        } else if line.matches("LIMITS", in: keyword) {
            Self.eachWord(parameters) { self.takeLimit($0) }
        }
    }

    private mutating func takeLimit(_ word: borrowing Span<UInt8>) {
        guard let equals = word.firstIndex(of: UInt8(ascii: "=")) else { return }
        let name = ByteRange(0, equals)
        guard let number = word.decimal(in: ByteRange(equals + 1, word.count)), number > 0 else {
            return
        }
        if word.matches("RCPTMAX", in: name) {
            self.recipientsMax = number
        } else if word.matches("MAILMAX", in: name) {
            self.transactionsMax = number
        }
    }

    /// The first word as a number; nil when it is none.
    private static func number(_ text: borrowing Span<UInt8>) -> Int? {
        text.decimal(in: ByteRange(0, text.firstIndex(of: .space) ?? text.count))
    }

    private static func eachWord(
        _ text: borrowing Span<UInt8>,
        _ body: (borrowing Span<UInt8>) -> Void
    ) {
        var start = 0
        while start < text.count {
            let end = text.firstIndex(of: .space, from: start) ?? text.count
            if end > start { body(text.extracting(start..<end)) }
            start = end + 1
        }
    }

    private static let names: [(StaticString, Keywords)] = [
        ("PIPELINING", .pipelining), ("SIZE", .size), ("8BITMIME", .eightBitMIME),
        ("SMTPUTF8", .smtpUTF8), ("REQUIRETLS", .requireTLS), ("CHUNKING", .chunking),
        ("STARTTLS", .startTLS), ("DSN", .dsn), ("ENHANCEDSTATUSCODES", .enhancedStatusCodes),
        ("ETRN", .etrn),
    ]
}
