// SPDX-License-Identifier: Apache-2.0
//
// Imports only point up the list of modules. The compiler does not hold that: it lets a target
// import what it never declared, when something else has built it.

import Foundation
import Testing

/// What a module may import: modules of ours and of the system.
private struct Allowance {
    let module: String
    let ours: Set<String>
    let system: Set<String>

    init(_ module: String, _ ours: Set<String>, system: Set<String> = []) {
        self.module = module
        self.ours = ours
        self.system = system
    }

    /// From what knows nothing to what knows all.
    static let table = [
        Allowance("MailBytes", [], system: ["Glibc"]),
        Allowance("MailSyntax", ["MailBytes"]),
        Allowance("SASL", ["MailBytes"]),
        Allowance("SMTPProtocol", ["MailBytes", "MailSyntax", "SASL"]),
        Allowance("POP3Protocol", ["MailBytes", "SASL"]),
        Allowance("DNSProtocol", ["MailBytes"]),
        Allowance("Delivery", ["DNSProtocol", "MailBytes", "MailSyntax"]),
        Allowance(
            "Credentials",
            ["CCrypt", "COpenSSL", "MailBytes"],
            system: ["Glibc", "Synchronization"]
        ),
        Allowance(
            "MailStore",
            ["CSQLite", "MailBytes", "MailSyntax"],
            system: ["Glibc", "Synchronization"]
        ),
        Allowance(
            "EventLoop",
            ["CLibevent", "COpenSSL", "MailBytes"],
            system: ["Glibc", "Synchronization"]
        ),
        Allowance("Configuration", ["CTOML", "MailBytes", "MailSyntax"], system: ["Glibc"]),
        Allowance(
            "Resolver",
            ["CIDN", "CUnbound", "DNSProtocol", "EventLoop", "MailBytes"],
            system: ["Glibc"]
        ),
        Allowance("PolicyFetch", ["CCurl", "EventLoop", "MailBytes"], system: ["Glibc"]),
        Allowance("Privileges", ["CLinux"], system: ["Glibc"]),
        Allowance(
            "Server",
            [
                "Configuration", "Credentials", "DNSProtocol", "Delivery", "EventLoop", "MailBytes",
                "MailStore", "MailSyntax", "POP3Protocol", "PolicyFetch", "Privileges", "Resolver",
                "SASL", "SMTPProtocol",
            ],
            system: ["Glibc", "Logging", "Synchronization"]
        ),
        Allowance(
            "LoadTesting",
            ["EventLoop", "MailBytes", "MailSyntax", "POP3Protocol", "SMTPProtocol"],
            system: ["Glibc"]
        ),
        Allowance(
            "Simulation",
            [
                "Configuration", "Credentials", "DNSProtocol", "Delivery", "EventLoop", "MailBytes",
                "MailStore", "MailSyntax", "POP3Protocol", "SASL", "SMTPProtocol", "Server",
            ],
            system: ["Logging"]
        ),
        Allowance("LoadDriver", ["EventLoop", "LoadTesting", "MailBytes"], system: ["Glibc"]),
        Allowance(
            "martlet",
            [
                "Configuration", "Credentials", "DNSProtocol", "Delivery", "EventLoop",
                "LoadTesting", "MailBytes", "MailStore", "MailSyntax", "PolicyFetch", "Resolver",
                "SASL", "SMTPProtocol", "Server",
            ],
            system: ["ArgumentParser", "Glibc", "Logging", "Synchronization"]
        ),
    ]

    static func of(_ module: String) -> Allowance? { self.table.first { $0.module == module } }
}

/// Targets of a package, as `swift package dump-package` tells them.
private struct Manifest: Decodable {
    struct Target: Decodable {
        let name: String
        let type: String
        let path: String?
        let dependencies: [Dependency]
    }

    /// One of `{"byName": [name, null]}`, `{"target": [name, null]}`, `{"product": [name, …]}`.
    struct Dependency: Decodable {
        let name: String

        init(from decoder: any Decoder) throws {
            let kinds = try decoder.container(keyedBy: AnyKey.self)
            guard let kind = kinds.allKeys.first else {
                self.name = ""
                return
            }
            var values = try kinds.nestedUnkeyedContainer(forKey: kind)
            self.name = try values.decode(String.self)
        }
    }

    struct AnyKey: CodingKey {
        let stringValue: String
        let intValue: Int? = nil
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { return nil }
    }

    let targets: [Target]
}

@Suite struct ImportTests {
    /// One import in a file of Sources.
    private struct Import {
        let file: SourceFile
        let line: Int
        let access: String?
        let name: String

        var place: String { "\(self.file.path):\(self.line)" }
    }

    private static let imports: [Import] = SourceFile.sources.flatMap { file in
        file.codeLines.enumerated().compactMap { index, line -> Import? in
            guard line.contains("import "),
                let match = line.firstMatch(
                    of: #/^ *(?:@[\w()]+ +)*(\w+ +)?import +(?:struct |enum |class |func )?(\w+)/#
                )
            else { return nil }
            let access = match.1?.trimmingCharacters(in: .whitespaces)
            return Import(file: file, line: index + 1, access: access, name: String(match.2))
        }
    }

    @Test func importsPointUpTheList() {
        #expect(Self.imports.count >= 80)
        for found in Self.imports {
            guard let allowance = Allowance.of(found.file.module) else {
                Issue.record("\(found.file.module) has no row in the table of imports")
                continue
            }
            let isAllowed = allowance.ours.union(allowance.system).contains(found.name)
            #expect(isAllowed, "\(found.place): \(found.name) is not for \(found.file.module)")
        }
    }

    /// The table itself keeps the direction: a row names only rows above it.
    @Test func tableHasADirection() {
        var above: Set<String> = []
        for row in Allowance.table {
            for name in row.ours where !name.hasPrefix("C") || Allowance.of(name) != nil {
                #expect(above.contains(name), "\(row.module) names \(name), which is not above it")
            }
            above.insert(row.module)
        }
    }

    /// What crosses a module's border is said in every import (SE-0409), and C never does.
    @Test func everyImportHasItsAccess() {
        for found in Self.imports {
            #expect(found.access != nil, "\(found.place)")
            let isC = found.name.first == "C" && found.name.dropFirst().first?.isUppercase == true
            #expect(!isC || found.access == "internal", "\(found.place)")
        }
    }

    @Test func manifestDeclaresWhatIsImported() throws {
        let manifest = try Self.manifest()
        let kinds: Set = ["regular", "executable"]
        let targets = manifest.targets.filter { kinds.contains($0.type) }
        let known = Set(targets.map(\.name))
        for target in targets {
            let imported = Self.imports.filter { $0.file.module == target.name }.map(\.name)
            guard !imported.isEmpty else { continue }
            let declared = Set(target.dependencies.map(\.name))
            let needed = Set(imported).subtracting(["Glibc", "Synchronization"])
            #expect(
                needed.subtracting(declared).isEmpty,
                "\(target.name) imports what it does not declare: \(needed.subtracting(declared))"
            )
            #expect(
                declared.subtracting(needed).isEmpty,
                "\(target.name) declares what it does not import: \(declared.subtracting(needed))"
            )
        }
        #expect(known.isSuperset(of: ["MailBytes", "MailSyntax", "SMTPProtocol", "POP3Protocol"]))
    }

    /// A scratch folder of its own, because the test run holds the lock of the usual one.
    private static func manifest() throws -> Manifest {
        let scratch = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-structure-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: scratch) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "swift", "package", "--package-path", SourceFile.root.path, "--scratch-path",
            scratch.path,
            "dump-package",
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let json = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return try JSONDecoder().decode(Manifest.self, from: json)
    }
}
