// SPDX-License-Identifier: Apache-2.0
//
// A conversation as readable text. Line kinds:
//   #  a comment
//   O: options of the session, before the first other line: word or word=number
//   C: a line of the client        R: octets of the client, without a line end
//   B: octets of the client, in hexadecimal
//   S: a line of the server, exactly
//   !: an effect, exactly          ?: the answer to it
//   T: stopping | deadline | slow | secured…  X: the peer closes
// Where the session is the client's, C and S change sides.
// In C, R, S and quoted strings \r \n \t \0 \\ \" and \xHH stand for octets.

public import Foundation

/// A conversation, and what must come of it.
public struct Transcript: Sendable, CustomStringConvertible {
    /// A line of it.
    public enum Item: Sendable {
        case input([UInt8])
        case answer(String)
        case event(String)
        case expected(String)

        var isInput: Bool { if case .input = self { true } else { false } }
        var isEvent: Bool { if case .event = self { true } else { false } }
    }

    /// The name of the file.
    public let name: String
    /// The words of the `O:` lines, with 1 or their number.
    public private(set) var options: [String: Int] = [:]
    /// All other lines.
    public private(set) var items: [Item] = []

    /// The name of the file.
    public var description: String { self.name }

    /// All transcripts of a folder, or none when they cannot be read, which a test notices.
    public static func all(in folder: URL, ofClient: Bool = false) -> [Transcript] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".transcript") }.sorted().compactMap { name in
            let url = folder.appendingPathComponent(name)
            guard let text = try? String(contentsOf: url, encoding: .utf8) else { return nil }
            return Transcript(name: name, text: text, ofClient: ofClient)
        }
    }

    /// A transcript from its text.
    ///
    /// `ofClient`: the session is the client's, and what the server says is what comes in.
    public init(name: String, text: String, ofClient: Bool = false) {
        self.name = name
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty || line.hasPrefix("#") { continue }
            let kind = line.prefix(2)
            let rest = String(line.dropFirst(3))
            switch kind {
            case "O:":
                for word in rest.split(separator: " ") {
                    let parts = word.split(separator: "=")
                    self.options[String(parts[0])] = parts.count > 1 ? Int(parts[1]) : 1
                }
            case "C:" where !ofClient, "S:" where ofClient:
                self.items.append(.input(unescaped(rest) + [0x0d, 0x0a]))
            case "R:": self.items.append(.input(unescaped(rest)))
            case "B:": self.items.append(.input(hexadecimal(rest)))
            case "C:", "S:", "!:": self.items.append(.expected("\(kind) \(rest)"))
            case "?:": self.items.append(.answer(rest))
            case "T:", "X:": self.items.append(.event(kind == "X:" ? "closed" : rest))
            default: fatalError("\(name): what is \(line)?")
            }
        }
    }
}

/// The octets that a text with escapes stands for.
public func unescaped(_ text: String) -> [UInt8] {
    var octets: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let octet = rest.popFirst() {
        guard octet == UInt8(ascii: "\\"), let letter = rest.popFirst() else {
            octets.append(octet)
            continue
        }
        switch letter {
        case UInt8(ascii: "r"): octets.append(0x0d)
        case UInt8(ascii: "n"): octets.append(0x0a)
        case UInt8(ascii: "t"): octets.append(0x09)
        case UInt8(ascii: "0"): octets.append(0x00)
        case UInt8(ascii: "x"):
            octets += hexadecimal(String(decoding: rest.prefix(2), as: UTF8.self))
            rest = rest.dropFirst(2)
        default: octets.append(letter)
        }
    }
    return octets
}

/// Octets as a text with escapes; UTF-8 without control characters stands for itself.
public func escaped(_ octets: some Collection<UInt8>) -> String {
    if let text = String(validating: octets, as: UTF8.self),
        !octets.contains(where: { $0 < 0x20 || $0 == 0x7f || $0 == UInt8(ascii: "\\") })
    {
        return text
    }
    return octets.map { octet in
        switch octet {
        case 0x0d: "\\r"
        case 0x0a: "\\n"
        case 0x09: "\\t"
        case 0x00: "\\0"
        case UInt8(ascii: "\\"): "\\\\"
        case 0x20..<0x7f: String(UnicodeScalar(octet))
        default: "\\x" + (octet < 16 ? "0" : "") + String(octet, radix: 16)
        }
    }.joined()
}

private func hexadecimal(_ text: String) -> [UInt8] {
    let digits = text.filter { $0 != " " }.map { UInt8($0.hexDigitValue ?? 0) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
