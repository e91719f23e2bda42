// SPDX-License-Identifier: Apache-2.0
//
// What holds for messages of the domain name system, whatever the octets.

import DNSProtocol
import DNSSupport

/// Reads the input as a message.
public enum DNSProperty {
    /// Throws when a property does not hold.
    public static func check(_ input: [UInt8]) throws(BrokenProperty) {
        let message: DNSMessage
        do throws(DNSMessageError) {
            message = try DNSMessage(octets: input.span)
        } catch {
            return
        }
        let records = message.answers + message.authority + message.additional
        // A record has eleven octets at least.
        try require(records.count * 11 + 12 <= input.count, "records are in the octets")
        for record in records {
            try self.checkName(record.name)
            switch record.content {
            case .mx(_, let name), .ns(let name), .cname(let name), .ptr(let name):
                try self.checkName(name)
            case .address, .txt, .tlsa, .other: break
            }
        }
        try self.checkWriting(of: message)
        try self.checkAnswers(of: message)
    }

    /// Nothing that an honest name has not stands in it as it came.
    private static func checkName(_ name: String) throws(BrokenProperty) {
        try require((1...1020).contains(name.utf8.count), "\(name) is no longer than a name")
        try require(
            name.utf8.allSatisfy {
                (0x21...0x7e).contains($0) && !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
            },
            "\(name) is of small letters, digits and marks"
        )
    }

    /// What is written of a message reads as the same message.
    private static func checkWriting(of message: DNSMessage) throws(BrokenProperty) {
        let again: DNSMessage
        do throws(DNSMessageError) {
            again = try DNSMessage(octets: message.octets.span)
        } catch {
            throw BrokenProperty(description: "a message is not read again: \(error)")
        }
        try require(again.id == message.id, "the id is the same")
        try require(again.responseCode == message.responseCode, "the code is the same")
        try require(again.question == message.question, "the question is the same")
        try require(again.answers == message.answers, "the answers are the same")
        try require(again.authority == message.authority, "the authority is the same")
        try require(again.additional == message.additional, "the rest is the same")
    }

    /// Only records of the type are found, and only those of the name where the aliases lead.
    private static func checkAnswers(of message: DNSMessage) throws(BrokenProperty) {
        guard let question = message.question else { return }
        for security in [DNSSECStatus.insecure, .secure, .bogus("why")] {
            let answer = DNSAnswer(question, message: message, security: security)
            try require(
                (answer.outcome == .found) == !answer.records.isEmpty,
                "what is found has records, and nothing else has"
            )
            try require(
                answer.records.allSatisfy {
                    $0.type == question.type && $0.name == answer.canonicalName
                },
                "the records are those that were asked for"
            )
            try require(security == .secure || !answer.isSecure, "nothing becomes secure by itself")
        }
    }
}
