// SPDX-License-Identifier: Apache-2.0

/// A report taken apart again, by rules simpler than those that made it.
struct ReportReading {
    /// Lines without their CR LF; nil when an octet stands where none may.
    let lines: [[UInt8]]
    let isASCII: Bool

    /// The header fields of the message, by name.
    let header: [(name: String, value: String)]
    /// The parts: their header fields, and their lines.
    let parts: [(header: [(name: String, value: String)], lines: [[UInt8]])]

    init?(_ octets: [UInt8], boundary: String) {
        guard let lines = Self.lines(octets) else { return nil }
        self.lines = lines
        self.isASCII = octets.allSatisfy { $0 < 0x80 }
        guard let header = Self.fields(lines) else { return nil }
        self.header = header.fields
        let opening = Array("--\(boundary)".utf8)
        let closing = opening + Array("--".utf8)
        let marks = lines.indices.filter { lines[$0] == opening }
        guard let end = lines.firstIndex(of: closing), end == lines.count - 1 else { return nil }
        var parts: [(header: [(name: String, value: String)], lines: [[UInt8]])] = []
        for (mark, next) in zip(marks, marks.dropFirst() + [end]) {
            let part = Array(lines[(mark + 1)..<next])
            guard let header = Self.fields(part) else { return nil }
            // The line end before a boundary is the boundary's.
            parts.append((header.fields, Array(part[header.end...].dropLast())))
        }
        self.parts = parts
    }

    private static func lines(_ octets: [UInt8]) -> [[UInt8]]? {
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        var previous: UInt8 = 0
        for octet in octets {
            guard octet != 0, (octet == 0x0a) == (previous == 0x0d) else { return nil }
            if octet == 0x0a {
                guard line.count <= 998 else { return nil }
                lines.append(line)
                line = []
            } else if octet != 0x0d {
                line.append(octet)
            }
            previous = octet
        }
        return line.isEmpty && previous == 0x0a ? lines : nil
    }

    /// Fields up to the first empty line, unfolded, and the index after that line.
    static func fields(_ lines: [[UInt8]]) -> (fields: [(name: String, value: String)], end: Int)? {
        var fields: [(name: String, value: String)] = []
        for (index, line) in lines.enumerated() {
            if line.isEmpty { return (fields, index + 1) }
            let text = String(decoding: line, as: UTF8.self)
            if line[0] == 0x20 || line[0] == 0x09 {
                guard !fields.isEmpty, line.contains(where: { $0 > 0x20 }) else { return nil }
                fields[fields.count - 1].value += text
            } else {
                guard let colon = text.firstIndex(of: ":") else { return nil }
                let value = text[text.index(after: colon)...].drop { $0 == " " }
                fields.append((String(text[..<colon]), String(value)))
            }
        }
        return nil
    }
}
