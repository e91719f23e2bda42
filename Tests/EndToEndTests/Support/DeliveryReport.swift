// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A report as Python's email package reads it.
struct DeliveryReport: Decodable {
    let fields: [String: String]
    let type: String
    let reportType: String?
    let defects: [String]
    let parts: [String]
    let text: String
    /// The fields of the message, then those of each recipient, in lower case.
    let status: [[String: String]]
    /// The fields of the message that the report is about.
    let returned: [String: String]
    let returnedText: String

    enum CodingKeys: String, CodingKey {
        case fields, type, defects, parts, text, status, returned
        case reportType = "report-type"
        case returnedText = "returned-text"
    }

    init(_ message: Message, at location: SourceLocation = #_sourceLocation) throws {
        let read = try Command.succeed(
            "python3",
            [Client.path("report.py")],
            input: message.data,
            at: location
        )
        self = try JSONDecoder().decode(Self.self, from: read.output)
        #expect(self.defects == [], sourceLocation: location)
        #expect(self.type == "multipart/report", sourceLocation: location)
        #expect(self.reportType == "delivery-status", sourceLocation: location)
        #expect(
            self.parts.prefix(2) == ["text/plain", "message/delivery-status"],
            sourceLocation: location
        )
        #expect(self.fields["return-path"] == "<>", sourceLocation: location)
        #expect(
            self.fields["auto-submitted"]?.hasPrefix("auto-replied") == true,
            sourceLocation: location
        )
    }

    /// What the report says of a recipient; nil when it says nothing.
    func recipient(_ mailbox: String) -> [String: String]? {
        self.status.dropFirst().first { fields in
            fields["final-recipient"]?.lowercased().hasSuffix(mailbox) == true
        }
    }
}
