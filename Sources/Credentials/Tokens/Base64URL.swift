// SPDX-License-Identifier: Apache-2.0

internal import MailBytes

extension Base64 {
    /// The octets of a text in the alphabet for URLs (RFC 4648, section 5) without padding, as
    /// tokens have it (RFC 7515, section 2); nil for anything else.
    static func decodeURL(_ text: some Collection<UInt8>) -> [UInt8]? {
        var octets: [UInt8] = []
        octets.reserveCapacity(text.count + 3)
        for octet in text {
            switch octet {
            case UInt8(ascii: "-"): octets.append(UInt8(ascii: "+"))
            case UInt8(ascii: "_"): octets.append(UInt8(ascii: "/"))
            case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): return nil
            default: octets.append(octet)
            }
        }
        while octets.count % 4 != 0 { octets.append(UInt8(ascii: "=")) }
        return self.decode(octets)
    }
}
