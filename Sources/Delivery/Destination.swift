// SPDX-License-Identifier: Apache-2.0
//
// Where a queued recipient's mail is to go, before anything is looked up.

/// A domain, or an address literal with its brackets, in lower case: what mail is queued by.
package struct Destination: Hashable, Sendable {
    package let octets: [UInt8]

    package init(_ octets: [UInt8]) { self.octets = octets }

    package init(_ text: String) { self.octets = Array(text.lowercased().utf8) }

    package var text: String { String(decoding: self.octets, as: UTF8.self) }
}
