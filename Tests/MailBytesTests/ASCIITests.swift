// SPDX-License-Identifier: Apache-2.0
//
// Octets by name, letters without case, numbers with overflow checked, the search for an octet.

import MailBytes
import Testing

@Suite struct ASCIITests {
    @Test func everyOctetIsWhatItIs() {
        for octet in UInt8.min...UInt8.max {
            let scalar = UnicodeScalar(octet)
            let isASCII = octet < 0x80
            #expect(octet.isASCIILetter == (isASCII && scalar.properties.isAlphabetic))
            #expect(octet.isASCIIDigit == (isASCII && scalar.properties.numericType == .decimal))
            let lower = isASCII ? Array(scalar.properties.lowercaseMapping.utf8) : [octet]
            #expect([octet.lowercasedASCII] == lower)
        }
        #expect([UInt8.cr, .lf, .space, .dot] == Array("\r\n .".utf8))
    }

    @Test func firstIndexSearchesTheWholeRest() {
        let octets = Array("a.b.c".utf8)
        let expected: [Int?] = [1, 1, 3, 3, nil, nil, nil]
        for (start, index) in expected.enumerated() {
            #expect(octets.span.firstIndex(of: .dot, from: start) == index)
        }
        #expect(octets.span.firstIndex(of: .lf) == nil)
        #expect([UInt8]().span.firstIndex(of: .lf) == nil)
        // Only the borrowed part is searched.
        #expect(octets.span.extracting(0..<1).firstIndex(of: .dot) == nil)
        #expect(octets.span.extracting(2...).firstIndex(of: .dot) == 1)
    }

    @Test(arguments: [
        ("LIST", 0, 4, true), ("list", 0, 4, true), ("xLisT", 1, 4, true), ("lists", 0, 4, true),
        ("lis", 0, 3, false), ("lists", 0, 5, false), ("li\u{13}t", 0, 4, false),
        ("l\u{49}st", 0, 4, true), ("", 0, 0, false),
    ])
    func literalsMatchWithoutCase(text: String, start: Int, count: Int, isMatch: Bool) {
        let octets = Array(text.utf8)
        #expect(octets.span.matches("LIST", in: ByteRange(at: start, count: count)) == isMatch)
    }

    @Test(
        arguments: [
            ("0", 0), ("007", 7), ("9223372036854775807", Int.max), ("9223372036854775808", nil),
            ("9223372036854775810", nil), ("18446744073709551616", nil),
            ("99999999999999999999999999999999", nil), ("000000000000000000000000000001", 1),
            ("", nil), ("+1", nil), ("-1", nil), ("1 ", nil), (" 1", nil), ("1a", nil),
            ("0x1", nil),
            ("1\0", nil), ("\u{661}", nil),
        ] as [(String, Int?)]
    )
    func numbersAreDigitsOnlyAndFit(text: String, number: Int?) {
        let octets = Array(text.utf8)
        #expect(octets.span.decimal(in: ByteRange(at: 0, count: octets.count)) == number)
    }

    @Test func copiesStandAlone() {
        let octets = Array("abc".utf8)
        #expect(octets.span.copy() == octets)
        #expect(octets.span.copy(ByteRange(at: 1, count: 2)) == Array("bc".utf8))
        #expect(octets.span.copy(.empty) == [])
        var array: [UInt8] = [1]
        array.append(octets.span)
        array.append([UInt8]().span)
        #expect(array == [1] + octets)
    }
}
