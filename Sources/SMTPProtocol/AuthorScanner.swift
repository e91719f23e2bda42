// SPDX-License-Identifier: Apache-2.0
//
// The authors of a message: the addresses of its From fields (RFC 5322, section 3.6.2, with the
// obsolete syntax of section 4.4 and the groups of RFC 6854), read octet by octet while the content
// passes by. Strict where readers disagree: what two of them might take for two authors is not
// readable, because whose the message is must not depend on who reads it.

internal import MailBytes

/// Reads the address lists of From fields that come in parts.
struct AuthorScanner {
    /// The authors, each with an LF behind it, and then the address or name that is being read.
    private var octets: [UInt8] = []
    /// Where the address or name that is being read begins.
    private var start = 0
    /// Whether all that was read so far is understood.
    private(set) var isReadable = true

    private var place = Place.bare
    private var enclosure = Enclosure.none
    private var commentDepth = 0
    private var isEscaped = false
    private var isInGroup = false
    /// White space or a comment stands behind the newest word.
    private var hasGap = false
    /// Words stand side by side: a display name, no address.
    private var isPhrase = false
    private var hasAt = false
    private var isTooLong = false

    /// Where in one address of the list.
    private enum Place: Equatable, BitwiseCopyable {
        /// Outside angle brackets: a display name, or an address without them.
        case bare
        /// The obsolete source route of `<@a,@b:c@d>`.
        case route
        case angle
        case afterAngle
        /// A group has ended.
        case afterGroup
    }

    private enum Enclosure: Equatable, BitwiseCopyable {
        case none
        case quotedString
        case literal
        case comment
    }

    /// An address has 254 octets (RFC 5321, section 4.5.3.1.3); a display name may have more, and
    /// need not be kept.
    private static let addressOctetsMax = 512
    private let octetsMax: Int
    /// Whether an address may lack its domain.
    private let allowsUnqualified: Bool
    private static let octetsKept = 1024
    private static let commentDepthMax = 64

    /// A scanner of From fields, or of those that name recipients: there may be many of them, and
    /// a local one may be named without its domain.
    init(ofRecipients: Bool = false) {
        self.octetsMax = ofRecipients ? 1 << 20 : 4096
        self.allowsUnqualified = ofRecipients
    }

    /// The authors, LF between them.
    var authors: Span<UInt8> {
        @_lifetime(borrow self) borrowing get {
            self.octets.span.extracting(0..<max(0, self.start - 1))
        }
    }

    /// Prepares for another message.
    mutating func reset() {
        if self.octets.capacity > Self.octetsKept { self.octets = [] }
        self.octets.removeAll(keepingCapacity: true)
        self.start = 0
        self.isReadable = true
        self.beginField()
    }

    /// Begins with the value of a From field.
    mutating func beginField() {
        self.place = .bare
        self.enclosure = .none
        self.commentDepth = 0
        self.isEscaped = false
        self.isInGroup = false
        self.beginAddress()
    }

    /// Ends with it.
    mutating func endField() {
        if self.enclosure != .none || self.isEscaped || self.isInGroup { self.isReadable = false }
        self.endAddress()
    }

    /// Takes the next octet of a value, which is neither CR nor LF.
    mutating func take(_ octet: UInt8) {
        guard self.isReadable else { return }
        guard octet >= .space && octet != 0x7f || octet == 0x09 else {
            self.isReadable = false
            return
        }
        switch self.enclosure {
        case .none: self.takePlain(octet)
        case .comment: self.takeInComment(octet)
        case .quotedString: self.takeInQuotedString(octet)
        case .literal: self.takeInLiteral(octet)
        }
    }
}

// MARK: - Within

extension AuthorScanner {
    private mutating func takeInComment(_ octet: UInt8) {
        if self.isEscaped {
            self.isEscaped = false
        } else if octet == UInt8(ascii: "\\") {
            self.isEscaped = true
        } else if octet == UInt8(ascii: "(") {
            self.commentDepth += 1
            if self.commentDepth > Self.commentDepthMax { self.isReadable = false }
        } else if octet == UInt8(ascii: ")") {
            self.commentDepth -= 1
            if self.commentDepth == 0 { self.enclosure = .none }
        }
    }

    private mutating func takeInQuotedString(_ octet: UInt8) {
        self.append(octet)
        if self.isEscaped {
            self.isEscaped = false
        } else if octet == UInt8(ascii: "\\") {
            self.isEscaped = true
        } else if octet == UInt8(ascii: "\"") {
            self.enclosure = .none
        }
    }

    private mutating func takeInLiteral(_ octet: UInt8) {
        switch octet {
        case .space, 0x09:
            break
        case UInt8(ascii: "["), UInt8(ascii: "\\"):
            self.isReadable = false
        default:
            self.append(octet)
            if octet == UInt8(ascii: "]") { self.enclosure = .none }
        }
    }

    private mutating func takePlain(_ octet: UInt8) {
        switch octet {
        case .space, 0x09:
            self.hasGap = true
        case UInt8(ascii: "("):
            self.hasGap = true
            self.commentDepth = 1
            self.enclosure = .comment
        case UInt8(ascii: "<"):
            self.openAngle()
        case UInt8(ascii: ">"):
            self.closeAngle()
        case UInt8(ascii: ","):
            if self.place != .route { self.endAddress() }
        case UInt8(ascii: ":"):
            self.takeColon()
        case UInt8(ascii: ";"):
            self.endGroup()
        case UInt8(ascii: "@"):
            self.takeAt()
        case UInt8(ascii: "["):
            self.openLiteral()
        case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "\\"):
            self.isReadable = false
        default:
            self.takeWord(octet)
        }
    }

    /// Takes an octet of an atom, a dot, or the quotation mark that begins a quoted string.
    private mutating func takeWord(_ octet: UInt8) {
        switch self.place {
        case .route: return
        case .afterAngle, .afterGroup: self.isReadable = false
        case .bare, .angle: break
        }
        let isQuote = octet == UInt8(ascii: "\"")
        if let last = self.last, last != .dot, octet != .dot {
            let isJoined = last == UInt8(ascii: "@") && !isQuote
            let isSame = !self.hasGap && !isQuote && !Self.endsWord(last)
            if !isJoined, !isSame { self.isPhrase = true }
        }
        if isQuote { self.enclosure = .quotedString }
        self.append(octet)
    }

    private static func endsWord(_ octet: UInt8) -> Bool {
        octet == UInt8(ascii: "\"") || octet == UInt8(ascii: "]")
    }

    private mutating func takeAt() {
        switch self.place {
        case .route:
            return
        case .angle where self.last == nil && !self.hasAt:
            self.place = .route
        case .bare, .angle:
            guard !self.hasAt, self.last != nil else { return self.isReadable = false }
            self.hasAt = true
            self.append(UInt8(ascii: "@"))
        case .afterAngle, .afterGroup:
            self.isReadable = false
        }
    }

    private mutating func openLiteral() {
        guard self.place == .bare || self.place == .angle, self.last == UInt8(ascii: "@") else {
            return self.isReadable = false
        }
        self.enclosure = .literal
        self.append(UInt8(ascii: "["))
    }

    private mutating func openAngle() {
        guard self.place == .bare else { return self.isReadable = false }
        // Some readers show an address that stands for a name and not the one in the brackets.
        if self.hasAt { self.keepAddress() }
        self.beginAddress()
        self.place = .angle
    }

    private mutating func closeAngle() {
        guard self.place == .angle, self.last != nil else { return self.isReadable = false }
        self.keepAddress()
        self.beginAddress()
        self.place = .afterAngle
    }

    /// A colon ends the name of a group, or a source route.
    private mutating func takeColon() {
        switch self.place {
        case .route:
            self.place = .angle
        case .bare where !self.isInGroup && !self.hasAt && self.last != nil:
            self.beginAddress()
            self.isInGroup = true
        case .bare, .angle, .afterAngle, .afterGroup:
            self.isReadable = false
        }
    }

    private mutating func endGroup() {
        guard self.isInGroup else { return self.isReadable = false }
        self.endAddress()
        self.isInGroup = false
        self.place = .afterGroup
    }

    /// Ends an element of the list, which may be empty (RFC 5322, section 4.4).
    private mutating func endAddress() {
        switch self.place {
        case .bare: if self.last != nil { self.keepAddress() }
        case .route, .angle: self.isReadable = false
        case .afterAngle, .afterGroup: break
        }
        self.beginAddress()
        self.place = .bare
    }
}

// MARK: - Addresses

extension AuthorScanner {
    /// The newest octet of what is being read.
    private var last: UInt8? {
        self.octets.count > self.start ? self.octets[self.octets.count - 1] : nil
    }

    private mutating func beginAddress() {
        self.octets.removeLast(self.octets.count - self.start)
        self.hasGap = false
        self.isPhrase = false
        self.hasAt = false
        self.isTooLong = false
    }

    private mutating func append(_ octet: UInt8) {
        self.hasGap = false
        guard self.octets.count - self.start < Self.addressOctetsMax else {
            self.isTooLong = true
            return
        }
        self.octets.append(octet)
    }

    private mutating func keepAddress() {
        guard self.hasAt || self.allowsUnqualified, !self.isPhrase, !self.isTooLong,
            self.last != UInt8(ascii: "@"), self.octets.count < self.octetsMax
        else { return self.isReadable = false }
        self.octets.append(.lf)
        self.start = self.octets.count
    }
}
