// SPDX-License-Identifier: Apache-2.0

package import DNSProtocol

/// A question to DNS.
package struct DNSQuestion: Hashable, Sendable {
    package let name: String
    package let type: DNSRecordType

    package init(_ name: String, _ type: DNSRecordType) {
        self.name = name
        self.type = type
    }
}
