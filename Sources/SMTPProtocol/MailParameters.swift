// SPDX-License-Identifier: Apache-2.0
//
// The parameters of MAIL: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), AUTH (RFC 4954),
// RET and ENVID (RFC 3461), and REQUIRETLS (RFC 8689).

internal import MailBytes
internal import MailSyntax

/// What follows the reverse-path.
struct MailParameters: Equatable, BitwiseCopyable {
    /// The parameters that are not offered at all times.
    struct Offer: OptionSet, BitwiseCopyable {
        let rawValue: UInt8

        static let auth = Offer(rawValue: 1)
        static let requireTLS = Offer(rawValue: 2)
    }

    /// The size that SIZE declares; `Int.max` when it does not fit.
    private(set) var size: Int?
    /// Whether SMTPUTF8 stands there.
    private(set) var isUTF8 = false
    /// Whether REQUIRETLS does.
    private(set) var requiresTLS = false
    /// What BODY says.
    private(set) var body: BodyType?
    /// What RET says.
    private(set) var returnedContent = ReturnedContent.unspecified
    /// Where the value of ENVID stands.
    private(set) var envelopeID: ByteRange?
    /// AUTH tells nothing that matters here: it says who submitted a message to another server, and
    /// no server is trusted to know (RFC 4954, section 5).
    private var hasAuth = false
    private let offer: Offer

    /// RFC 3461, section 4.4.
    private static let envelopeIDOctetsMax = 100

    /// Parses keywords with values, spaces between them.
    init(
        parsing octets: borrowing Span<UInt8>,
        in range: ByteRange,
        offer: Offer
    ) throws(SMTPReply) {
        self.offer = offer
        var parameters = ESMTPParameters(range)
        while let parameter = try parameters.next(of: octets) {
            try self.take(octets, parameter.keyword, parameter.value)
        }
    }

    private mutating func take(
        _ octets: borrowing Span<UInt8>,
        _ keyword: ByteRange,
        _ value: ByteRange?
    ) throws(SMTPReply) {
        if octets.matches("SIZE", in: keyword) {
            guard self.size == nil else { throw .parameterTwice }
            guard let value, let size = octets.saturatingDecimal(in: value) else {
                throw .parameterSyntax
            }
            self.size = size
        } else if octets.matches("BODY", in: keyword) {
            guard self.body == nil else { throw .parameterTwice }
            self.body = try Self.body(octets, value)
        } else if octets.matches("SMTPUTF8", in: keyword) {
            guard !self.isUTF8 else { throw .parameterTwice }
            guard value == nil else { throw .parameterSyntax }
            self.isUTF8 = true
        } else if octets.matches("AUTH", in: keyword), self.offer.contains(.auth) {
            guard !self.hasAuth else { throw .parameterTwice }
            guard let value, octets.isXtext(in: value) else { throw .parameterSyntax }
            self.hasAuth = true
        } else if octets.matches("REQUIRETLS", in: keyword), self.offer.contains(.requireTLS) {
            guard !self.requiresTLS else { throw .parameterTwice }
            guard value == nil else { throw .parameterSyntax }
            self.requiresTLS = true
        } else {
            try self.takeReporting(octets, keyword, value)
        }
    }

    private static func body(
        _ octets: borrowing Span<UInt8>,
        _ value: ByteRange?
    ) throws(SMTPReply) -> BodyType {
        guard let value else { throw .parameterSyntax }
        if octets.matches("7BIT", in: value) { return .sevenBit }
        if octets.matches("8BITMIME", in: value) { return .eightBitMIME }
        throw octets.matches("BINARYMIME", in: value) ? .binaryRefused : .parameterSyntax
    }

    private mutating func takeReporting(
        _ octets: borrowing Span<UInt8>,
        _ keyword: ByteRange,
        _ value: ByteRange?
    ) throws(SMTPReply) {
        if octets.matches("RET", in: keyword) {
            guard self.returnedContent == .unspecified else { throw .parameterTwice }
            guard let value else { throw .parameterSyntax }
            if octets.matches("FULL", in: value) {
                self.returnedContent = .full
            } else if octets.matches("HDRS", in: value) {
                self.returnedContent = .headers
            } else {
                throw .parameterSyntax
            }
        } else if octets.matches("ENVID", in: keyword) {
            guard self.envelopeID == nil else { throw .parameterTwice }
            guard let value, value.count <= Self.envelopeIDOctetsMax,
                octets.isPrintableXtext(in: value)
            else { throw .parameterSyntax }
            self.envelopeID = value
        } else {
            throw .parameterUnknown
        }
    }
}
