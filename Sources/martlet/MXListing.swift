// SPDX-License-Identifier: Apache-2.0
//
// A survey as people and programs read it.

internal import DNSProtocol
internal import Delivery
internal import MailBytes

enum MXListing {
    // MARK: - For people

    /// The lists, each with the heads of its columns, and the order.
    static func text(_ survey: MXSurvey) -> String {
        var blocks = [self.summary(survey)]
        let answers = self.sorted(survey.answers)
        blocks.append(
            self.table(
                "Answer list",
                ["Resource name", "Type", "Class", "MX Priority", "MX Server"],
                answers.map { self.common($0) + [self.priority($0), self.target($0)] },
                stars: answers
            )
        )
        let authority = self.sorted(survey.authority)
        blocks.append(
            self.table(
                "Authority list",
                ["Resource name", "Type", "Class", "Domain name"],
                authority.map { self.common($0) + [self.target($0)] },
                stars: authority
            )
        )
        let additional = self.sorted(survey.additional)
        blocks.append(
            self.table(
                "Additional list",
                ["Resource name", "Type", "Class", "IP Address"],
                additional.map { self.common($0) + [self.target($0)] },
                stars: additional
            )
        )
        if (authority + additional).contains(where: \.isLookedUp) {
            blocks.append("* not in the answer: looked up in addition")
        }
        let lines = survey.explanation.map { "  \($0)" }
        blocks.append((["Order of delivery"] + lines).joined(separator: "\n"))
        return blocks.joined(separator: "\n\n")
    }

    private static func summary(_ survey: MXSurvey) -> String {
        guard let answer = survey.answer else { return "\(survey.domain): nothing is asked" }
        let words =
            switch answer.outcome {
            case .found: "the answer has \(answer.records.count) MX"
            case .noData: "the answer has no MX"
            case .noSuchName: "the domain does not exist"
            case .failed(let why): "no answer: \(why)"
            }
        return "\(survey.domain): \(words)\(answer.isSecure ? ", proved by DNSSEC" : "")"
    }

    /// Columns as wide as their widest field; the last one is not filled up.
    private static func table(
        _ title: String,
        _ heads: [String],
        _ rows: [[String]],
        stars: [MXSurvey.Row]
    ) -> String {
        let widths = heads.indices.map { column in
            ([heads] + rows).map { $0[column].utf8.count }.max() ?? 0
        }
        func line(_ fields: [String], _ end: String) -> String {
            let padded = zip(fields, widths).dropLast().map { field, width in
                field + String(repeating: " ", count: width - field.utf8.count)
            }
            return "  " + (padded + [(fields.last ?? "") + end]).joined(separator: "  ")
        }
        let body = zip(rows, stars).map { line($0, $1.isLookedUp ? " *" : "") }
        return ([title, line(heads, "")] + (body.isEmpty ? ["  (empty)"] : body))
            .joined(separator: "\n")
    }

    private static func common(_ row: MXSurvey.Row) -> [String] {
        [row.record.name, self.type(row.record), "IN"]
    }

    /// The order that a question brings is another one each time.
    private static func sorted(_ rows: [MXSurvey.Row]) -> [MXSurvey.Row] {
        rows.map { (key: self.key($0.record), row: $0) }
            .sorted { $0.key < $1.key }
            .map(\.row)
    }

    private static func key(_ record: DNSRecord) -> (Int, String, UInt16, String) {
        guard case .mx(let preference, let exchange) = record.content else {
            // Aliases come first: they lead to the others.
            let rank = record.type == .cname ? -1 : 0
            return (rank, record.name, record.type.rawValue, self.target(record))
        }
        return (Int(preference), record.name, record.type.rawValue, exchange)
    }

    // MARK: - For programs

    /// One object on one line.
    static func json(_ survey: MXSurvey) -> String {
        let answer = survey.answer
        let outcome =
            switch answer?.outcome {
            case .found: "found"
            case .noData: "no-data"
            case .noSuchName: "no-such-name"
            case .failed: "failed"
            case nil: "not-asked"
            }
        let members = [
            ("domain", JSONText.string(survey.domain)),
            ("outcome", JSONText.string(outcome)),
            ("secure", "\(answer?.isSecure ?? false)"),
            ("answer", self.array(self.sorted(survey.answers).map(self.object))),
            ("authority", self.array(self.sorted(survey.authority).map(self.object))),
            ("additional", self.array(self.sorted(survey.additional).map(self.object))),
            ("order", self.array(self.hosts(survey.outcome))),
            ("explanation", self.array(survey.explanation.map(JSONText.string))),
            ("failure", self.failure(survey.outcome)),
        ]
        return self.object(members)
    }

    private static func object(_ row: MXSurvey.Row) -> String {
        let record = row.record
        var members = [
            ("name", JSONText.string(record.name)),
            ("type", JSONText.string(self.type(record))),
            ("class", "\"IN\""),
            ("seconds", "\(record.timeToLive)"),
        ]
        switch record.content {
        case .mx(let preference, let exchange):
            members.append(("priority", "\(preference)"))
            members.append(("server", JSONText.string(exchange)))
        case .address: members.append(("address", JSONText.string(self.target(record))))
        case .ns, .cname, .ptr: members.append(("target", JSONText.string(self.target(record))))
        case .txt, .tlsa, .other: break
        }
        return self.object(members + [("lookedUp", "\(row.isLookedUp)")])
    }

    private static func hosts(_ outcome: RouteOutcome) -> [String] {
        guard case .plan(let plan) = outcome else { return [] }
        return plan.hosts.map { host in
            let places = host.endpoints.map { JSONText.string($0.description) }
            return self.object([
                ("name", JSONText.string(host.name)),
                ("priority", host.isRelay ? "null" : "\(host.preference)"),
                ("endpoints", self.array(places)),
                ("secure", "\(host.isNameSecure && host.areAddressesSecure)"),
            ])
        }
    }

    private static func failure(_ outcome: RouteOutcome) -> String {
        guard case .failure(let failure) = outcome else { return "null" }
        return self.object([
            ("status", JSONText.string("\(failure.status)")),
            ("text", JSONText.string(failure.text)),
        ])
    }

    private static func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }

    private static func array(_ elements: [String]) -> String {
        "[" + elements.joined(separator: ",") + "]"
    }

    // MARK: - Fields

    private static func type(_ record: DNSRecord) -> String {
        switch record.type {
        case .a: "A"
        case .aaaa: "AAAA"
        case .cname: "CNAME"
        case .mx: "MX"
        case .ns: "NS"
        case .soa: "SOA"
        default: "TYPE\(record.type.rawValue)"
        }
    }

    private static func priority(_ row: MXSurvey.Row) -> String {
        if case .mx(let preference, _) = row.record.content { return "\(preference)" }
        return "-"
    }

    private static func target(_ row: MXSurvey.Row) -> String { self.target(row.record) }

    private static func target(_ record: DNSRecord) -> String {
        switch record.content {
        case .address(let address): address.host
        case .mx(_, let name), .ns(let name), .cname(let name), .ptr(let name): name
        case .txt, .tlsa, .other: "-"
        }
    }
}
