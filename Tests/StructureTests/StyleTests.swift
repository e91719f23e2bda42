// SPDX-License-Identifier: Apache-2.0
//
// The house style, as far as text shows it: where unsafe code may stand, what has no place in an
// event loop, how long files, functions and lines are, and which words no type has in its name.

import Testing

@Suite struct StyleTests {
    /// The modules that touch memory or C, and the files beside them that do.
    private static let unsafeModules: Set = [
        "EventLoop", "MailStore", "Credentials", "Configuration", "Privileges",
        "Resolver", "PolicyFetch",
    ]
    private static let unsafeFiles: Set = [
        "Sources/MailBytes/ASCII.swift",
        "Sources/MailBytes/LineScan.swift",
        "Sources/MailBytes/OctetArray.swift",
        "Sources/MailBytes/ReplyBuffer.swift",
    ]
    private static let products: Set = [
        "MailBytes", "MailSyntax", "SASL", "SMTPProtocol", "POP3Protocol",
    ]

    @Test func thereIsSomethingToLookAt() {
        #expect(SourceFile.sources.count >= 60)
        #expect(SourceFile.all.count > SourceFile.sources.count)
    }

    @Test func unsafeCodeStaysWhereItIsListed() {
        let places = SourceFile.sources
            .filter {
                !Self.unsafeModules.contains($0.module) && !Self.unsafeFiles.contains($0.path)
            }
            .flatMap { $0.places(of: #/\bunsafe\b|@safe\b|@unsafe\b/#) }
        #expect(places.isEmpty, "\(places.joined(separator: "\n"))")
        for path in Self.unsafeFiles {
            let file = SourceFile.file(path)
            #expect(
                file.map { !$0.places(of: #/\bunsafe\b/#).isEmpty } ?? false,
                "\(path) needs no leave any more"
            )
        }
    }

    @Test(arguments: [
        ("Task", #"\bTask\b"#), ("async", #"\basync\b"#), ("await", #"\bawait\b"#),
        ("an actor", #"\bactor\b"#), ("Dispatch", #"\bDispatch\w*"#),
        ("@unchecked", #"@unchecked\b"#), ("@preconcurrency", #"@preconcurrency\b"#),
        ("nonisolated(unsafe)", #"nonisolated\(unsafe\)"#), ("try!", #"\btry!"#),
        ("as!", #"\bas!"#), ("a forced unwrapping", #"[\w)\]]!(?!=)"#),
        ("fatalError", #"\bfatalError\b"#), ("Foundation", #"\bFoundation\b"#),
    ])
    func hasNoPlaceInSources(name: String, pattern: String) throws {
        let regex = try Regex(pattern, as: Substring.self)
        let places = SourceFile.sources.flatMap { $0.places(of: regex) }
        #expect(places.isEmpty, "\(name):\n\(places.joined(separator: "\n"))")
    }

    @Test func onlyProductsAreOpenToAll() {
        let places = SourceFile.sources.filter { !Self.products.contains($0.module) }
            .flatMap { $0.places(of: #/\bpublic\b|\bopen (?:class|func|var)\b/#) }
        #expect(places.isEmpty, "\(places.joined(separator: "\n"))")
    }

    @Test func everyFileSaysItsLicence() {
        for file in SourceFile.all {
            // The first line of a manifest belongs to the tools version.
            let line = file.lines.dropFirst(file.path.hasSuffix("Package.swift") ? 1 : 0).first
            let isSaid = ["//", "/*"].contains { opening in
                line?.hasPrefix("\(opening) SPDX-License-Identifier: Apache-2.0") ?? false
            }
            #expect(isSaid, "\(file.path)")
        }
    }

    @Test func linesHave100Columns() {
        for file in SourceFile.all {
            for (index, line) in file.lines.enumerated() where line.count > 100 {
                Issue.record("\(file.path):\(index + 1) has \(line.count) columns")
            }
        }
    }

    @Test func filesHave500Lines() {
        for file in SourceFile.sources {
            #expect(file.lines.count <= 501, "\(file.path) has \(file.lines.count) lines")
        }
    }

    @Test func functionsHave70Lines() {
        var count = 0
        for file in SourceFile.sources {
            for function in FunctionBody.all(in: file) {
                count += 1
                // A flat switch is a table: longer is easier to read than in pieces.
                let linesMax = function.isOneSwitch ? 140 : 70
                #expect(
                    function.lineCount <= linesMax,
                    "\(file.path):\(function.firstLine + 1) has \(function.lineCount) lines"
                )
            }
        }
        #expect(count >= 300)
    }

    @Test func namesOfTypesSaySomething() {
        let banned: Set = [
            "Manager", "Helper", "Helpers", "Util", "Utils", "Utility", "Data", "Info",
        ]
        for file in SourceFile.sources {
            for match in file.code.matches(
                of: #/\b(?:class|struct|enum|protocol|typealias|associatedtype) +([A-Z]\w*)/#
            ) {
                let words = match.1.matches(of: #/[A-Z]+(?![a-z])|[A-Z][a-z0-9]*/#)
                    .map { String($0.0) }
                #expect(banned.isDisjoint(with: words), "\(file.path): \(match.1)")
            }
        }
    }
}

/// The extent of a function, an initialiser or a computed property with a long body.
private struct FunctionBody {
    let firstLine: Int
    let lineCount: Int
    let isOneSwitch: Bool

    static func all(in file: SourceFile) -> [FunctionBody] {
        let beginning = #/^ *(?:[\w@()]+ +)*(?:func +\S|init[?(<]|deinit\b|subscript\b)/#
        return file.codeLines.indices
            .filter { index in
                let line = file.codeLines[index]
                let isNear = ["func ", "init", "subscript"].contains { line.contains($0) }
                return isNear && line.contains(beginning)
            }
            .compactMap { FunctionBody(file.codeLines, from: $0) }
    }

    /// Nil for a requirement of a protocol, which has no body.
    private init?(_ lines: [String], from start: Int) {
        var depth = 0
        var bodyStart: Int?
        for index in start..<lines.count {
            for character in lines[index] {
                if character == "{" {
                    if depth == 0 { bodyStart = index + 1 }
                    depth += 1
                }
                guard character == "}" else { continue }
                depth -= 1
                guard depth <= 0 else { continue }
                guard let bodyStart else { return nil }
                self.firstLine = start
                self.lineCount = index - start + 1
                self.isOneSwitch = Self.isOneSwitch(lines, bodyStart, index)
                return
            }
        }
        return nil
    }

    private static func isOneSwitch(_ lines: [String], _ start: Int, _ end: Int) -> Bool {
        guard start < end, lines[start].contains(#/^ *(?:return +)?switch\b/#) else { return false }
        let indentation = lines[start].prefix { $0 == " " }
        return lines[(start + 1)..<(end - 1)].allSatisfy { line in
            line.allSatisfy(\.isWhitespace) || line.hasPrefix(indentation + " ")
                || line.hasPrefix(indentation + "case ") || line.hasPrefix(indentation + "default")
        }
    }
}

/// The looking itself must be able to see.
@Suite struct LookingTests {
    private let file = SourceFile(
        path: "Sources/Sample/Sample.swift",
        text: """
            let a = "no unsafe here" // nor unsafe here
            /* unsafe
            unsafe */ let b = "\\(value("unsafe")!)"
            let c = \"\"\"
                unsafe \\(unsafe d)
                \"\"\"
            func long() {
                switch a {
                case 1: return
                }
            }
            func short() { unsafe e }
            Task.yield()
            """
    )

    @Test func literalsAndCommentsAreNoCode() {
        let lines = self.file.places(of: #/\bunsafe\b/#).compactMap {
            $0.split(separator: ":").dropFirst().first
        }
        #expect(lines == ["5", "12"])
        #expect(self.file.places(of: #/[\w)]!/#).count == 1)
        #expect(self.file.places(of: #/\bTask\b/#).count == 1)
        #expect(self.file.places(of: #/\bask\b/#).isEmpty)
        #expect(self.file.module == "Sample")
        #expect(self.file.codeLines.count == self.file.lines.count)
    }

    @Test func functionsAreMeasured() {
        let functions = FunctionBody.all(in: self.file)
        #expect(functions.map(\.lineCount) == [5, 1])
        #expect(functions.map(\.isOneSwitch) == [true, false])
    }
}
