// SPDX-License-Identifier: Apache-2.0
//
// What a server for tests knows, and how it (mis)behaves.

package import DNSProtocol
import MailBytes

/// How a server answers questions about a name.
package enum DNSBehaviour: Sendable {
    case serverFailure
    case refused
    /// Nothing ever comes.
    case silent
    /// Nothing comes to the first questions.
    case silentFirst(Int)
    /// Over UDP only the header comes, with TC; the rest is to be had over TCP.
    case truncated
    /// Before the answer come so many with other ids and one from another port, all with these
    /// records; in the end, the right one.
    case forged(count: Int, [DNSRecord])
    /// The id is right and the question another one, with these records.
    case wrongQuestion([DNSRecord])
    /// Octets that are no message, with the right id.
    case garbage
    /// The answer comes after so many milliseconds, during which the server does nothing else.
    case slow(milliseconds: Int)
}

/// The records of a server.
///
/// A name without records below which there are others exists; every other one does not.
package struct DNSZones: Sendable {
    private var records: [String: [DNSRecord]] = [:]
    private let behaviours: [String: DNSBehaviour]
    private let negativeSeconds: UInt32

    /// Behaviours hold for one name each.
    package init(
        _ records: [DNSRecord],
        behaviours: [String: DNSBehaviour] = [:],
        negativeSeconds: UInt32 = 60
    ) {
        for record in records { self.records[record.name, default: []].append(record) }
        self.behaviours = behaviours
        self.negativeSeconds = negativeSeconds
    }

    func behaviour(of name: String) -> DNSBehaviour? { self.behaviours[name] }

    /// The honest answer.
    package func answer(_ question: DNSQuestion, id: UInt16) -> DNSMessage {
        var name = question.name
        var answers: [DNSRecord] = []
        for _ in 0..<8 {
            let here = self.records[name] ?? []
            let found = here.filter { $0.type == question.type }
            answers += found
            guard found.isEmpty, let alias = here.first(where: { $0.type == .cname }),
                case .cname(let target) = alias.content
            else { break }
            answers.append(alias)
            name = target
        }
        let isFound = answers.contains { $0.type == question.type }
        let exists = isFound || self.exists(name)
        return DNSMessage(
            id: id,
            responseCode: exists ? .noError : .nameError,
            question: question,
            answers: self.signed(answers),
            authority: isFound ? [] : self.signed(self.denial(of: name)),
            additional: self.signed(answers.flatMap(self.addresses))
        )
    }

    /// The records with their signatures, if there are any.
    private func signed(_ records: [DNSRecord]) -> [DNSRecord] {
        let sets = Set(records.map { DNSQuestion($0.name, $0.type) })
        return records
            + sets.flatMap { set in
                (self.records[set.name] ?? []).filter { record in
                    guard record.type == .rrsig, case .other(let octets) = record.content else {
                        return false
                    }
                    // The type that is signed comes first.
                    return octets.prefix(2).reduce(0) { $0 << 8 | UInt16($1) }
                        == set.type.rawValue
                }
            }
    }

    /// What says that there is nothing: of a signed zone, all that it has to say of that.
    private func denial(of name: String) -> [DNSRecord] {
        let zones = self.records.values.joined().filter { record in
            record.type == .soa && (name == record.name || name.hasSuffix(".\(record.name)"))
        }
        guard let zone = zones.max(by: { $0.name.utf8.count < $1.name.utf8.count }) else {
            return [DNSRecord.soa("test", minimum: self.negativeSeconds)]
        }
        return [zone]
            + self.records.values.joined().filter { record in
                record.type == .nsec
                    && (record.name == zone.name || record.name.hasSuffix(".\(zone.name)"))
            }
    }

    private func exists(_ name: String) -> Bool {
        self.records[name] != nil || self.records.keys.contains { $0.hasSuffix(".\(name)") }
    }

    private func addresses(of record: DNSRecord) -> [DNSRecord] {
        guard case .mx(_, let exchange) = record.content else { return [] }
        return (self.records[exchange] ?? []).filter { $0.type == .a || $0.type == .aaaa }
    }
}
