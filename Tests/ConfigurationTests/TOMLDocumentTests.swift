// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Configuration

@Suite struct TOMLDocumentTests {
    private func parse(_ text: String) throws -> TOMLTable {
        try TOMLDocument.parse(Array(text.utf8))
    }

    @Test func valuesComeWithTheirLines() throws {
        let root = try self.parse(
            """
            text = "a\\tbü\\u0000"   # comment with "quotes
            number = -9223372036854775808
            flags = [true,
              false]

            [table]
            sub.key = 1.5
            day = 1979-05-27

            [[list]]
            [[list]]
            x = {}
            """
        )
        #expect(root["text"]?.value == TOMLValue(content: .string("a\tbü\u{0}"), line: 1))
        #expect(root["number"]?.value == TOMLValue(content: .integer(.min), line: 2))
        let flags = [
            TOMLValue(content: .boolean(true), line: 3),
            TOMLValue(content: .boolean(false), line: 4),
        ]
        #expect(root["flags"]?.value == TOMLValue(content: .array(flags), line: 3))
        guard case .table(let table) = root["table"]?.value.content,
            case .table(let sub) = table["sub"]?.value.content,
            case .array(let list) = root["list"]?.value.content
        else {
            Issue.record("the tables are not there")
            return
        }
        #expect(root["table"]?.line == 6)
        #expect(sub["key"]?.value == TOMLValue(content: .float(1.5), line: 7))
        #expect(table["day"]?.value == TOMLValue(content: .date, line: 8))
        #expect(list.map(\.line) == [10, 11])
    }

    @Test func anEmptyDocumentIsAnEmptyTable() throws {
        #expect(try TOMLDocument.parse([]) == TOMLTable())
        #expect(try self.parse("\u{feff}# only a comment") == TOMLTable())
    }

    @Test(arguments: [
        "[[[", "[[=", "[(x]", "a = [{", "a = \"\\", "'", "\"", "a = 2020-01-0{'\u{fefd}",
        "x = 1 \u{fef7}", "\u{feff}\u{feff}", "a\u{fefd} = 1", "a = \u{fefd}1",
    ])
    func oddTextsAreErrorsAndNoTraps(text: String) {
        #expect(throws: TOMLDocument.SyntaxError.self) { try self.parse(text) }
    }

    @Test func noOctetsTrap() {
        let pieces = [
            "[", "]", "=", "\"", "'", "\n", "{", "}", ",", ".", "#", "a", "1", "-", "\\", " ",
            "\u{fefd}", "true", "1979-05-27", "\u{0}", "[[", "]]", "= [", "\r\n",
        ]
        for _ in 0..<3000 {
            let text = (0..<Int.random(in: 0...30)).map { _ in pieces.randomElement() ?? "" }
            _ = try? self.parse(text.joined())
        }
    }
}
