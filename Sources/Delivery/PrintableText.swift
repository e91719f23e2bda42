// SPDX-License-Identifier: Apache-2.0
//
// Text of strangers, made fit for logs, terminals and reports.

extension String {
    /// The text in printable ASCII, everything else as `?`, cut to so many octets.
    package func printable(octetsMax: Int) -> String {
        var octets: [UInt8] = []
        for scalar in self.unicodeScalars.prefix(octetsMax) {
            let isPrintable = scalar.value >= 0x20 && scalar.value < 0x7f
            octets.append(isPrintable ? UInt8(scalar.value) : UInt8(ascii: "?"))
        }
        return String(decoding: octets, as: UTF8.self)
    }
}
