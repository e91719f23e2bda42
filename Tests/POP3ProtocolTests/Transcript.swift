// SPDX-License-Identifier: Apache-2.0
//
// A conversation as readable text. Line kinds:
//   #  a comment
//   O: options of the session, before the first other line: word or word=number
//   C: a line of the client        B: raw octets of the client, in hexadecimal
//   S: a line of the server, exactly
//   !: an effect, exactly          ?: the answer to it
//   T: stopping | deadline         X: the peer closes
// In C, S and quoted strings \r \n \t \0 \\ \" and \xHH stand for octets.

import Foundation
import POP3Protocol
import Testing

struct Transcript: Sendable, CustomTestStringConvertible {
    enum Item: Sendable {
        case input([UInt8])
        case answer(String)
        case event(String)
        case expected(String)
    }

    let name: String
    var options: [String: Int] = [:]
    var items: [Item] = []

    var testDescription: String { self.name }

    /// All transcripts, or none when they cannot be read, which a test notices.
    static let all: [Transcript] = {
        let folder = Bundle.module.bundleURL.appendingPathComponent("Transcripts")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".transcript") }.sorted().compactMap { name in
            let url = folder.appendingPathComponent(name)
            guard let text = try? String(contentsOf: url, encoding: .utf8) else { return nil }
            return Transcript(name: name, text: text)
        }
    }()

    init(name: String, text: String) {
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
            case "C:": self.items.append(.input(unescaped(rest) + [0x0d, 0x0a]))
            case "B:": self.items.append(.input(hexadecimal(rest)))
            case "S:", "!:": self.items.append(.expected("\(kind) \(rest)"))
            case "?:": self.items.append(.answer(rest))
            case "T:", "X:": self.items.append(.event(kind == "X:" ? "closed" : rest))
            default: fatalError("\(name): what is \(line)?")
            }
        }
    }

    var settings: POP3ServerSettings {
        let languages: [POP3Language] = [.standard, .english, .german, .french]
        let longName = self.options["hostname"].map { [UInt8](repeating: 0x68, count: $0) }
        return POP3ServerSettings(
            hostname: longName ?? Array("mail.example".utf8),
            implementation: self.options["anonymous"] == nil ? Array("Martlet".utf8) : [],
            offersAPOP: self.options["apop"] != nil,
            permitsPlaintext: self.options["no-plaintext"] == nil,
            acceptsUTF8Users: self.options["utf8-users"] != nil,
            expiry: self.options["no-expire"] != nil
                ? nil : self.options["expire"].map { .days($0) } ?? .never,
            loginDelaySeconds: self.options["login-delay"],
            preferredLanguage: languages[self.options["prefer"] ?? 1],
            commandOctetsMax: self.options["line"] ?? 255,
            skippedOctetsMax: self.options["skip"] ?? 65536,
            errorsMax: self.options["errors"] ?? 20,
            loginFailuresMax: self.options["login-failures"] ?? 5,
            commandsMax: self.options["commands"] ?? 1000
        )
    }
}

func unescaped(_ text: String) -> [UInt8] {
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

func escaped(_ octets: some Collection<UInt8>) -> String {
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
