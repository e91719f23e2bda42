// SPDX-License-Identifier: Apache-2.0
//
// The part of a report that gives the message back, or its header fields (RFC 6522, section 4; RFC
// 6533, sections 5 and 6).

internal import MailBytes
internal import MailSyntax

extension ReportComposer {
    /// Whether the message goes back whole: only when it failed, and if nothing stands against it
    /// that it can be carried as it is.
    var givesWhole: Bool { self.wholePart != nil }

    /// The message or its header fields.
    func originalPart() -> ReportPart {
        self.wholePart
            ?? ReportPart(
                type: self.message.options.needsUTF8
                    ? "message/global-headers" : "text/rfc822-headers",
                encodable: self.originalHeader,
                allowsEightBit: self.usesUTF8
            )
    }

    private var wholePart: ReportPart? {
        guard self.message.isWhole,
            self.recipients.contains(where: { $0.action == .failed }),
            DeliveryReport.givesWhole(self.message.options, octets: self.message.content.count)
        else { return nil }
        return ReportPart(
            type: self.message.options.needsUTF8 ? "message/global" : "message/rfc822",
            unencoded: self.message.content
        )
    }

    /// The header fields, as far as whole lines of them are there and fit.
    private var originalHeader: [UInt8] {
        let content = self.message.content
        var end = 0
        var index = 0
        while let lf = content[index...].firstIndex(of: .lf) {
            let isEmpty = lf == index || lf == index + 1 && content[index] == .cr
            guard !isEmpty, lf < DeliveryReport.headerOctetsMax else {
                return Array(content[..<end])
            }
            end = lf + 1
            index = end
        }
        // No line end any more: of a message that is all there, the rest is its last line.
        let isRestWhole = self.message.isWhole && content.count <= DeliveryReport.headerOctetsMax
        return Array(content[..<(isRestWhole ? content.count : end)])
    }

    /// The Message-ID of the message with its angle brackets, when it is one that can be written
    /// into a field.
    var originalMessageID: [UInt8]? {
        let lines = self.originalHeader.split(separator: .lf, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let name = line.prefix(11).map(\.lowercasedASCII)
            guard name.elementsEqual("message-id:".utf8) else { continue }
            var value = line.dropFirst(11).filter { $0 != .cr && $0 != .space && $0 != 0x09 }
            // Some are so long that they stand on the next line.
            if value.isEmpty, index + 1 < lines.count, let first = lines[index + 1].first,
                first == .space || first == 0x09
            {
                value = lines[index + 1].filter { $0 != .cr && $0 != .space && $0 != 0x09 }
            }
            guard value.count <= 500, value.count > 2, value.first == UInt8(ascii: "<"),
                value.last == UInt8(ascii: ">"),
                value.dropFirst().dropLast().allSatisfy({ octet in
                    (0x21...0x7e).contains(octet) && octet != UInt8(ascii: "<")
                        && octet != UInt8(ascii: ">")
                })
            else { return nil }
            return value
        }
        return nil
    }
}
