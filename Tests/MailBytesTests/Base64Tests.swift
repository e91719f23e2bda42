// SPDX-License-Identifier: Apache-2.0

import MailBytes
import Testing

@Suite struct Base64Tests {
    /// RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func publishedVectors(octets: String, text: String) {
        #expect(Base64.encode(Array(octets.utf8)) == Array(text.utf8))
        #expect(Base64.decode(Array(text.utf8)) == Array(octets.utf8))
    }

    @Test func allOctetsComeBack() {
        let octets = (0...255).map { UInt8($0) }
        for count in 250...256 {
            let part = Array(octets.prefix(count))
            #expect(Base64.decode(Base64.encode(part)) == part)
        }
        #expect(Base64.encode([0xfb, 0xff, 0xbf]) == Array("+/+/".utf8))
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zg===", "Z===", "====", "=", "Zh==", "Zm9=", "Zm 8=", "Zm8=\n",
        "Zg==Zg==",
        "Zm=8", "Zm-_", "=Zm8", "Z=g=",
    ])
    func anythingElseIsNone(text: String) {
        #expect(Base64.decode(Array(text.utf8)) == nil)
    }
}
