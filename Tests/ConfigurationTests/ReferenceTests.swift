// SPDX-License-Identifier: Apache-2.0
//
// The files in conf/ say what the program does: they load, the reference shows every key with its
// default and its range, and the table of keys leaves out no limit.

import Foundation
import MailSyntax
import Testing

@testable import Configuration

@Suite struct ReferenceTests {
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("conf").path

    /// The reference, with the keys and tables that have no default brought in when asked for.
    private static func reference(uncommented: Bool) throws -> String {
        let text = try String(
            contentsOfFile: "\(self.folder)/martlet.reference.toml",
            encoding: .utf8
        )
        guard uncommented else { return text }
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let isKey = line.wholeMatch(of: #/#(\w|\[\[).*/#) != nil
            return isKey ? line.dropFirst() : line
        }.joined(separator: "\n")
    }

    @Test func theDemoLoads() throws {
        let demo = try Configuration.load(path: "\(Self.folder)/martlet.toml")
        #expect(demo.hostname == "mail.example.test")
        #expect(demo.dataDirectory == "\(Self.folder)/../var")
        #expect(demo.localDomains == ["example.test"])
        #expect(demo.listeners.allSatisfy { $0.address.isLoopback })
        #expect(
            demo.listeners.map { "\($0.service) \($0.address) \($0.tls)" } == [
                "smtp 127.0.0.1:2525 starttls", "submission 127.0.0.1:2587 starttls",
                "submission 127.0.0.1:2465 implicit", "lmtp 127.0.0.1:2024 off",
                "pop3 127.0.0.1:2110 starttls", "pop3 127.0.0.1:2995 implicit",
            ]
        )
        let permitting = demo.listeners.filter(\.permitsPlaintextAuth)
        #expect(permitting.map { "\($0.address)" } == ["127.0.0.1:2110"])
        #expect(demo.limits.exemptNetworks.map(\.description) == ["127.0.0.0/8", "::1/128"])
    }

    @Test func theReferenceShowsTheDefaults() throws {
        let text = try Self.reference(uncommented: false)
        let shown = try Configuration.parse(Array(text.utf8), path: "conf/x.toml")
        let defaults = Configuration()
        for key in ConfigurationKey.all where !key.isRequired {
            #expect(
                Self.value(of: key, in: shown) == Self.value(of: key, in: defaults),
                "\(key.path)"
            )
        }
    }

    @Test func theReferenceShowsEveryKeyAndNoOther() throws {
        let text = try Self.reference(uncommented: true)
        // An unknown key would not load.
        let all = try Configuration.parse(Array(text.utf8), path: "conf/x.toml")
        #expect(all.postmaster == Address(parsing: "office@example.org"))
        let root = try TOMLDocument.parse(Array(text.utf8))
        for key in ConfigurationKey.all {
            #expect(Self.table(key.table, of: root)[key.name] != nil, "\(key.path)")
        }
        guard case .array(let listeners) = root["listener"]?.value.content,
            case .table(let first) = listeners.first?.content
        else {
            Issue.record("no listener")
            return
        }
        #expect(Set(first.entries.map(\.name)) == Set(ConfigurationReader.Listener.keys))
        guard case .array(let routes) = root["route"]?.value.content else {
            Issue.record("no route")
            return
        }
        let shown = routes.flatMap { value -> [String] in
            guard case .table(let table) = value.content else { return [] }
            return table.entries.map(\.name)
        }
        #expect(Set(shown) == Set(ConfigurationReader.RouteKey.allCases.map(\.rawValue)))
        #expect(all.routes.map(\.pattern.description).last == "*.example.net")
        #expect(all.delivery.fallbackRelay?.credentials?.login == "mail.example.org")
        #expect(all.tls.certificates.count == 2)
        #expect(all.auth.tokenIssuers.map(\.identityClaim) == ["email"])
        #expect(
            all.listeners.filter { $0.tls == .implicit }.map(\.service) == [.submission, .pop3]
        )
    }

    @Test func theReferenceTellsEveryRange() throws {
        let lines = try Self.reference(uncommented: true).split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        for key in ConfigurationKey.all {
            let range: ClosedRange<Int>
            switch key.form {
            case .number(let bounds, _), .optionalNumber(let bounds, _): range = bounds
            default: continue
            }
            let header = "[\(key.table.rawValue)]"
            let start = try #require(key.table == .top ? 0 : lines.firstIndex { $0 == header })
            let index = try #require(
                lines[start...].firstIndex { $0.hasPrefix("\(key.name) = ") }
            )
            let comment = lines[..<index].reversed().prefix { $0.hasPrefix("#") }
                .reversed().map { $0.dropFirst(2) }.joined(separator: " ")
            #expect(
                comment.contains("\(range.lowerBound) to \(range.upperBound)"),
                "\(key.path): \(comment)"
            )
        }
    }

    @Test func everyLimitHasItsKey() {
        let names = Mirror(reflecting: Configuration.Limits()).children.compactMap(\.label)
        let keys = ConfigurationKey.all.filter { $0.table == .limits }.map(\.name)
        #expect(!names.isEmpty)
        #expect(Set(names.map(Self.kebab)) == Set(keys))
        #expect(keys.count == names.count)
    }

    @Test func everyDefaultIsInItsRange() {
        let defaults = Configuration()
        for key in ConfigurationKey.all {
            if case .number(let range, let place) = key.form {
                #expect(range.contains(defaults[keyPath: place]), "\(key.path)")
            }
        }
    }

    @Test func everyNumberGoesToItsPlaceAndStaysInItsRange() throws {
        for key in ConfigurationKey.all {
            let range: ClosedRange<Int>
            switch key.form {
            case .number(let bounds, _), .optionalNumber(let bounds, _): range = bounds
            default: continue
            }
            let table = key.table.rawValue
            for bound in [range.lowerBound, range.upperBound] {
                let other = Self.companions[key.path] ?? ""
                let text =
                    "\(Sample.top)\(Sample.listener)[\(table)]\n\(key.name) = \(bound)\n\(other)\n"
                let configuration = try Sample.parse(text)
                #expect(Self.value(of: key, in: configuration) == "\(bound)", "\(key.path)")
            }
            for beyond in [range.lowerBound - 1, range.upperBound + 1] {
                #expect(
                    Sample.errors(end: "[\(table)]\n\(key.name) = \(beyond)").count == 1,
                    "\(key.path) = \(beyond)"
                )
            }
        }
    }

    /// What keys whose values depend on each other need beside them at either end of their ranges.
    private static let companions = [
        "delivery.retry-seconds-min": "retry-seconds-max = 604800",
        "delivery.retry-seconds-max": "retry-seconds-min = 1",
        "delivery.age-hours-max": "warn-hours = 0",
        "delivery.warn-hours": "age-hours-max = 8760",
    ]

    private static func table(_ table: ConfigurationKey.Table, of root: TOMLTable) -> TOMLTable {
        guard table != .top, case .table(let entries) = root[table.rawValue]?.value.content else {
            return root
        }
        return entries
    }

    private static func kebab(_ name: String) -> String {
        name.map { $0.isUppercase ? "-\($0.lowercased())" : String($0) }.joined()
    }

    private static func value(of key: ConfigurationKey, in configuration: Configuration) -> String {
        switch key.form {
        case .number(_, let place): "\(configuration[keyPath: place])"
        case .optionalNumber(_, let place):
            configuration[keyPath: place].map { "\($0)" } ?? "none"
        case .flag(let place): "\(configuration[keyPath: place])"
        case .domain(let place), .directory(let place): configuration[keyPath: place]
        case .file(let place), .user(let place): configuration[keyPath: place] ?? "none"
        case .domains(let place): "\(configuration[keyPath: place])"
        case .patterns(let place): "\(configuration[keyPath: place])"
        case .nameservers(let place), .sources(let place): "\(configuration[keyPath: place])"
        case .relay(let place): "\(configuration[keyPath: place] as Any)"
        case .login(let place): configuration[keyPath: place] ?? "none"
        case .mailbox(let place): configuration[keyPath: place]?.text ?? "none"
        case .delimiter(let place): configuration[keyPath: place].map { "\($0)" } ?? "none"
        case .networks(let place): "\(configuration[keyPath: place])"
        case .choice:
            """
            \(configuration.pop3.language) \(configuration.log.level) \(configuration.log.format) \
            \(configuration.confinement) \(configuration.tls.minimumVersion) \
            \(configuration.auth.scram) \(configuration.delivery.tls)
            """
        case .mechanisms(let place):
            configuration[keyPath: place].map { "\($0.map(\.rawValue))" } ?? "none"
        case .certificates(let place): "\(configuration[keyPath: place].map(\.chainPath))"
        case .tokenIssuers(let place): "\(configuration[keyPath: place].map(\.issuer))"
        }
    }
}
