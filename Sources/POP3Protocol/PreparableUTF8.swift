// SPDX-License-Identifier: Apache-2.0
//
// Which names and passwords RFC 6856, section 2, has a server refuse when it announces `UTF8 USER`:
// what is not UTF-8, and what RFC 4013 (SASLprep), section 2.3, prohibits. Mapping and
// normalisation are not done here.

internal import MailBytes

extension Span where Element == UInt8 {
    /// Whether the octets of `range` are UTF-8 without a prohibited character.
    func isPreparableUTF8(in range: ByteRange) -> Bool {
        do {
            let text = try UTF8Span(validating: self.extracting(range.indices))
            var scalars = text.makeUnicodeScalarIterator()
            while let scalar = scalars.next() {
                if isProhibited(scalar.value) { return false }
            }
            return true
        } catch {
            return false
        }
    }
}

/// RFC 3454, tables C.2.1 to C.9; what C.1.2 lists is mapped to a space, not prohibited.
private func isProhibited(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x0000...0x001f, 0x007f...0x009f: true  // C.2.1 and C.2.2: control characters
    case 0x06dd, 0x070f, 0x180e, 0x200c...0x200d, 0x2028...0x2029, 0x2060...0x2063: true
    case 0x206a...0x206f, 0xfeff, 0xfff9...0xfffc, 0x1d173...0x1d17a: true
    case 0xe000...0xf8ff, 0xf0000...0x10ffff: true  // C.3: private use
    case 0xfdd0...0xfdef: true  // C.4: non-characters
    case _ where scalar & 0xfffe == 0xfffe: true
    case 0xfffd: true  // C.6: inappropriate for plain text
    case 0x2ff0...0x2ffb: true  // C.7: inappropriate for canonical representation
    case 0x0340...0x0341, 0x200e...0x200f, 0x202a...0x202e: true  // C.8: display, deprecated
    case 0xe0001, 0xe0020...0xe007f: true  // C.9: tagging
    default: false
    }
}
