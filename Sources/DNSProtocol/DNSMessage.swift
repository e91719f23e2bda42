// SPDX-License-Identifier: Apache-2.0
//
// A message of the domain name system (RFC 1035, section 4), read from octets that nobody vouches
// for. What mail does not ask for stays as octets; nothing is written here.

/// One message.
package struct DNSMessage: Sendable {
    package let id: UInt16
    /// Whether this is an answer (QR).
    package let isResponse: Bool
    package let responseCode: DNSResponseCode
    /// Whether something was left out because it did not fit (TC).
    package let isTruncated: Bool
    package let question: DNSQuestion?
    package let answers: [DNSRecord]
    package let authority: [DNSRecord]
    package let additional: [DNSRecord]

    package init(
        id: UInt16,
        isResponse: Bool = true,
        responseCode: DNSResponseCode = .noError,
        isTruncated: Bool = false,
        question: DNSQuestion? = nil,
        answers: [DNSRecord] = [],
        authority: [DNSRecord] = [],
        additional: [DNSRecord] = []
    ) {
        self.id = id
        self.isResponse = isResponse
        self.responseCode = responseCode
        self.isTruncated = isTruncated
        self.question = question
        self.answers = answers
        self.authority = authority
        self.additional = additional
    }

    /// Reads a message; what follows its last record is ignored.
    ///
    /// Records of other classes than IN, among them EDNS's OPT, are left out. Of more questions
    /// than one, which nobody asks, the first one stands.
    package init(octets: borrowing Span<UInt8>) throws(DNSMessageError) {
        var reader = DNSReader(end: octets.count)
        self.id = try reader.uint16(in: octets)
        let flags = try reader.uint16(in: octets)
        self.isResponse = flags & 0x8000 != 0
        self.isTruncated = flags & 0x0200 != 0
        self.responseCode = DNSResponseCode(rawValue: UInt8(flags & 0xf))
        let questions = try reader.uint16(in: octets)
        let counts = (
            try reader.uint16(in: octets),
            try reader.uint16(in: octets),
            try reader.uint16(in: octets)
        )
        var question: DNSQuestion?
        for _ in 0..<questions {
            let name = try reader.name(in: octets)
            let type = DNSRecordType(rawValue: try reader.uint16(in: octets))
            let recordClass = try reader.uint16(in: octets)
            guard question == nil, recordClass == DNSQuestion.internet else { continue }
            question = DNSQuestion(name, type)
        }
        self.question = question
        self.answers = try reader.records(counts.0, in: octets)
        self.authority = try reader.records(counts.1, in: octets)
        self.additional = try reader.records(counts.2, in: octets)
    }
}

/// What is asked: a name and a type, in the class IN.
package struct DNSQuestion: Hashable, Sendable {
    /// In lower case, without the dot at the end; the root is ".".
    package let name: String
    package let type: DNSRecordType

    package init(_ name: String, _ type: DNSRecordType) {
        self.name = name
        self.type = type
    }

    /// The number of the class IN (RFC 1035, section 3.2.4).
    package static let internet: UInt16 = 1
}

/// How a server took the question (RFC 1035, section 4.1.1).
package struct DNSResponseCode: RawRepresentable, Hashable, BitwiseCopyable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let noError = DNSResponseCode(rawValue: 0)
    package static let formatError = DNSResponseCode(rawValue: 1)
    package static let serverFailure = DNSResponseCode(rawValue: 2)
    package static let nameError = DNSResponseCode(rawValue: 3)
    package static let notImplemented = DNSResponseCode(rawValue: 4)
    package static let refused = DNSResponseCode(rawValue: 5)
}

extension DNSResponseCode: CustomStringConvertible {
    /// The name in the registry of IANA, such as `SERVFAIL`.
    package var description: String {
        switch self {
        case .noError: "NOERROR"
        case .formatError: "FORMERR"
        case .serverFailure: "SERVFAIL"
        case .nameError: "NXDOMAIN"
        case .notImplemented: "NOTIMP"
        case .refused: "REFUSED"
        default: "RCODE \(self.rawValue)"
        }
    }
}

/// Why octets are no message.
package enum DNSMessageError: Error, Hashable, Sendable {
    /// A field goes beyond the end of the message or of its record.
    case tooShort
    /// A name of more than 255 octets, with a pointer that does not lead back, or with a label of a
    /// kind that does not exist.
    case badName
    /// A record whose data is not what its type says.
    case badRecord
}
