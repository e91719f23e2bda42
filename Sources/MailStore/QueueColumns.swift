// SPDX-License-Identifier: Apache-2.0
//
// How the values of the queue stand in columns.

internal import MailSyntax

/// The options of an envelope that are numbers, and how its content ends.
struct QueueFlags: OptionSet {
    let rawValue: Int

    static let eightBit = QueueFlags(rawValue: 1)
    static let needsUTF8 = QueueFlags(rawValue: 2)
    static let requiresTLS = QueueFlags(rawValue: 4)
    static let lacksLineEnd = QueueFlags(rawValue: 8)
    /// RET lies above these.
    private static let returnedShift = 4

    init(rawValue: Int) { self.rawValue = rawValue }

    init(_ options: EnvelopeOptions, endsWithCRLF: Bool) {
        var flags = QueueFlags(
            rawValue: Int(options.returnedContent.rawValue) << Self.returnedShift
        )
        if options.body == .eightBitMIME { flags.insert(.eightBit) }
        if options.needsUTF8 { flags.insert(.needsUTF8) }
        if options.requiresTLS { flags.insert(.requiresTLS) }
        if !endsWithCRLF { flags.insert(.lacksLineEnd) }
        self = flags
    }

    func options(envelopeID: [UInt8]) -> EnvelopeOptions {
        var options = EnvelopeOptions()
        options.body = self.contains(.eightBit) ? .eightBitMIME : .sevenBit
        options.needsUTF8 = self.contains(.needsUTF8)
        options.requiresTLS = self.contains(.requiresTLS)
        let returned = UInt8(truncatingIfNeeded: self.rawValue >> Self.returnedShift)
        options.returnedContent = ReturnedContent(rawValue: returned) ?? .unspecified
        options.envelopeID = envelopeID
        return options
    }
}

extension EnhancedStatus {
    /// The three numbers in one, which reads like them; never 0.
    var packed: Int {
        (Int(self.statusClass) * 1000 + Int(self.subject)) * 1000 + Int(self.detail)
    }

    /// A status from its column; nil: there is none.
    init?(packed: Int) {
        guard packed > 0 else { return nil }
        self.init(
            UInt8(truncatingIfNeeded: packed / 1_000_000),
            UInt16(packed / 1000 % 1000),
            UInt16(packed % 1000)
        )
    }
}

extension QueueState {
    init(_ outcome: QueueOutcome) {
        switch outcome {
        case .failed: self = .failed
        case .delivered: self = .delivered
        case .relayed: self = .relayed
        case .expanded: self = .expanded
        }
    }
}

extension Statement {
    /// A column with a state; what nobody knows is not tried.
    func queueState(_ column: Int32) -> QueueState {
        QueueState(rawValue: UInt8(truncatingIfNeeded: self.int(column))) ?? .held
    }

    func messageID(_ column: Int32) -> MessageID {
        MessageID(rawValue: UInt64(bitPattern: self.int64(column)))
    }
}

extension [UInt8] {
    /// Words of a stranger, as they are kept: not too many, and without control characters.
    func printable(max: Int) -> [UInt8] {
        self.prefix(max).map { $0 < 0x20 || $0 == 0x7f ? UInt8(ascii: "?") : $0 }
    }
}

extension Schema {
    /// So many attempts are remembered of one recipient, and so many failures of a destination.
    static let attemptsMax = 10
    /// So many octets are kept of a reply, or of the reason for a rest.
    static let replyOctetsMax = 512
    /// So many octets are kept of a host's name, and of the words about TLS.
    static let hostOctetsMax = 255
    /// So many rows one transaction changes when many are meant.
    static let changesMax = 1000
    /// So many rows are looked at for that, or for one part of a listing.
    static let examinedMax = 20_000
}
