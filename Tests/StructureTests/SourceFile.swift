// SPDX-License-Identifier: Apache-2.0
//
// The files of the project as text, with and without what is in comments and literals.

import Foundation

/// One file, as the structure tests look at it.
struct SourceFile: Sendable {
    /// The path from the root of the project.
    let path: String
    let lines: [String]
    /// The text with comments and the contents of string literals blanked out; empty for files of
    /// which only lines are looked at.
    let code: String
    let codeLines: [String]

    /// The folder below Sources that the file is in.
    var module: String {
        let parts = self.path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : ""
    }

    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// All Swift files below Sources.
    static let sources = files(below: ["Sources"], endings: ["swift"], withCode: true)
    /// All files of ours that a compiler reads.
    static let all =
        files(
            below: ["Sources", "Tests", "benchmarks"],
            endings: ["swift", "c", "cpp", "h"],
            withCode: false
        ) + [file("Package.swift", withCode: false)].compactMap(\.self)

    static func files(below folders: [String], endings: Set<String>, withCode: Bool) -> [SourceFile]
    {
        folders.flatMap { folder -> [SourceFile] in
            let start = self.root.appendingPathComponent(folder)
            let names = FileManager.default.enumerator(atPath: start.path)?.compactMap {
                $0 as? String
            }
            return (names ?? []).sorted()
                .filter { name in
                    endings.contains((name as NSString).pathExtension)
                        && !name.split(separator: "/").contains { $0.hasPrefix(".") }
                }
                .compactMap { self.file("\(folder)/\($0)", withCode: withCode) }
        }
    }

    static func file(_ path: String, withCode: Bool = true) -> SourceFile? {
        let url = self.root.appendingPathComponent(path)
        guard let text = try? String(contentsOf: url, encoding: .utf8) else { return nil }
        return SourceFile(path: path, text: text, withCode: withCode)
    }

    init(path: String, text: String, withCode: Bool = true) {
        self.path = path
        self.lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        self.code = withCode ? Blanking(text).code : ""
        self.codeLines = self.code.split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
    }

    /// Where `pattern` is found in code, as `path:line: the line`.
    func places(of pattern: Regex<Substring>) -> [String] {
        // Unicode's words may have a dot in them: `Task.yield` is one.
        let pattern = pattern.wordBoundaryKind(.simple)
        // Most files have none: one look at the whole is faster than one at every line.
        guard self.code.contains(pattern) else { return [] }
        return self.codeLines.indices.filter { self.codeLines[$0].contains(pattern) }
            .map {
                "\(self.path):\($0 + 1): \(self.lines[$0].trimmingCharacters(in: .whitespaces))"
            }
    }
}

/// Blanks out comments and the text of string literals; interpolated code stays.
private struct Blanking {
    private enum Place {
        case code(openParentheses: Int)
        case string(isLong: Bool)
        case lineComment
        case blockComment
    }

    private var octets: [UInt8] = []
    private var places: [Place] = [.code(openParentheses: 0)]
    private var rest: ArraySlice<UInt8>

    var code: String { String(decoding: self.octets, as: UTF8.self) }

    init(_ text: String) {
        self.rest = Array(text.utf8)[...]
        self.octets.reserveCapacity(self.rest.count)
        while let place = self.places.last, !self.rest.isEmpty {
            switch place {
            case .code(let open): self.takeCode(open)
            case .string(let isLong): self.takeString(isLong)
            case .lineComment: self.takeComment(until: "\n")
            case .blockComment: self.takeComment(until: "*/")
            }
        }
    }

    private func isAt(_ text: StaticString) -> Bool {
        let start = self.rest.startIndex
        guard self.rest.count >= text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { expected in
            for offset in 0..<expected.count
            where unsafe self.rest[start + offset] != expected[offset] {
                return false
            }
            return true
        }
    }

    private mutating func enter(_ place: Place, past opening: StaticString) {
        self.places.append(place)
        self.blank(opening.utf8CodeUnitCount)
    }

    private mutating func takeCode(_ open: Int) {
        if self.isAt("//") { return self.enter(.lineComment, past: "//") }
        if self.isAt("/*") { return self.enter(.blockComment, past: "/*") }
        if self.isAt("\"\"\"") { return self.enter(.string(isLong: true), past: "\"\"\"") }
        if self.isAt("\"") { return self.enter(.string(isLong: false), past: "\"") }
        let octet = self.rest.removeFirst()
        self.octets.append(octet)
        guard self.places.count > 1 else { return }
        if octet == UInt8(ascii: "(") {
            self.places[self.places.count - 1] = .code(openParentheses: open + 1)
        } else if octet == UInt8(ascii: ")"), open == 0 {
            self.places.removeLast()
        } else if octet == UInt8(ascii: ")") {
            self.places[self.places.count - 1] = .code(openParentheses: open - 1)
        }
    }

    private mutating func takeString(_ isLong: Bool) {
        if self.isAt("\\(") { return self.enter(.code(openParentheses: 0), past: "\\(") }
        if self.isAt("\\") { return self.blank(2) }
        self.takeComment(until: isLong ? "\"\"\"" : "\"")
    }

    private mutating func takeComment(until end: StaticString) {
        guard self.isAt(end) else { return self.blank(1) }
        self.places.removeLast()
        self.blank(end.utf8CodeUnitCount)
    }

    private mutating func blank(_ count: Int) {
        for octet in self.rest.prefix(count) {
            self.octets.append(octet == UInt8(ascii: "\n") ? octet : UInt8(ascii: " "))
        }
        self.rest = self.rest.dropFirst(count)
    }
}
