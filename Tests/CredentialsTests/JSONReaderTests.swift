// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Credentials

@Suite struct JSONReaderTests {
    private func read(_ text: String) -> JSONValue? { JSONReader.read(Array(text.utf8)) }

    @Test func valuesAreRead() {
        #expect(self.read(" null\r\n\t ") == .null)
        #expect(self.read("true") == .boolean(true))
        #expect(self.read("false") == .boolean(false))
        #expect(self.read("[]") == .array([]))
        #expect(self.read("{ }") == .object([]))
        #expect(self.read("[1, [ ] ,\"\"]") == .array([.number(1), .array([]), .string([])]))
        let object = self.read(#"{"a":1,"b":{"a":[true]},"":null}"#)
        #expect(object?["a"] == .number(1))
        #expect(object?["b"]?["a"] == .array([.boolean(true)]))
        #expect(object?[""] == .null)
        #expect(object?["c"] == nil)
    }

    @Test(arguments: [
        ("0", 0.0), ("-0", 0), ("1", 1), ("-12", -12), ("1.5", 1.5), ("1e3", 1000), ("1E+3", 1000),
        ("15e-1", 1.5), ("0.25", 0.25), ("1700000000", 1_700_000_000), ("1e-999", 0),
    ])
    func numbersAreRead(text: String, value: Double) {
        #expect(self.read(text) == .number(value))
    }

    @Test(arguments: [
        (#""""#, ""), (#""a b""#, "a b"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (#""\u0041\u00e9\u20AC""#, "A\u{e9}\u{20ac}"), (#""\ud83d\ude00""#, "\u{1f600}"),
        (#""\uD800\uDC00\udbff\udfff""#, "\u{10000}\u{10ffff}"), (#""\u0000""#, "\0"),
        ("\"jos\u{e9} \u{1f600}\u{7f}\"", "jos\u{e9} \u{1f600}\u{7f}"),
    ])
    func stringsAreRead(text: String, value: String) {
        #expect(self.read(text) == .string(Array(value.utf8)))
    }

    @Test(arguments: [
        "", " ", "nul", "nullx", "True", "tru", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]",
        "{", "}", "{,}", #"{"a"}"#, #"{"a":}"#, #"{"a":1"#, #"{"a":1,}"#, #"{a:1}"#, #"{"a" 1}"#,
        #"{"a":1 "b":2}"#, #"{1:1}"#, #"{"a":1}}"#, "1 2", "1,", "//", "/**/1", "'a'",
        // Numbers.
        "01", "-", "+1", ".5", "1.", "1e", "1e+", "-01", "0x1", "NaN", "Infinity", "1e999", "1_0",
        "--1", "1.e1",
        // Strings.
        "\"", #""a"#, #"""""#, "\"\n\"", "\"\0\"", "\"\u{1f}\"", #""\x""#, #""\""#, #""\u""#,
        #""\u00g0""#, #""\u004""#, #""\ud83d""#, #""\ude00""#, #""\ud83dx""#, #""\ud83d\u0041""#,
        #""\ud83d\ud83d""#, #""\u+041""#, "\u{feff}1",
        // Names that come twice.
        #"{"a":1,"a":1}"#, #"{"a":1,"\u0061":2}"#, #"{"b":{"a":1,"b":2,"a":3}}"#,
    ])
    func anythingElseIsNone(text: String) {
        #expect(self.read(text) == nil)
    }

    @Test(
        arguments: [
            [0x22, 0xff, 0x22], [0x22, 0xc3, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22],
            [0x22, 0xc0, 0x80, 0x22], [0x5b, 0x31, 0x5d, 0xff],
        ] as [[UInt8]]
    )
    func onlyUTF8IsRead(octets: [UInt8]) {
        #expect(JSONReader.read(octets) == nil)
    }

    @Test func depthAndMembersAreLimited() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(self.read(nested(8)) != nil)
        #expect(self.read(nested(9)) == nil)
        #expect(self.read(nested(100_000)) == nil)
        #expect(self.read(String(repeating: #"{"a":"#, count: 9) + "1") == nil)
        func members(_ count: Int) -> String {
            "{" + (0..<count).map { #""\#($0)":0"# }.joined(separator: ",") + "}"
        }
        #expect(self.read(members(128)) != nil)
        #expect(self.read(members(129)) == nil)
    }
}
