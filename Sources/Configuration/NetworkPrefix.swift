// SPDX-License-Identifier: Apache-2.0

package import MailBytes

extension Configuration {
    /// A network such as 127.0.0.0/8 or fd00::/8.
    package struct NetworkPrefix: Sendable, Hashable, CustomStringConvertible {
        /// The first address of the network, with port 0.
        package let address: NetworkAddress
        /// How many bits of the address count: at most 32 for IPv4 and 128 for IPv6.
        package let length: Int

        /// Why a text is no prefix.
        enum Failure: Error, Equatable {
            case syntax
            /// Bits beyond the length are set; this is the network that was probably meant.
            case hostBits(NetworkPrefix)
        }

        /// The network of `length` bits that the address belongs to.
        package init(address: NetworkAddress, length: Int) {
            let bits = address.family == .ipv4 ? 32 : 128
            self.length = min(max(length, 0), bits)
            self.address = Self.first(of: address, length: self.length)
        }

        /// A prefix as text; an address alone stands for itself.
        init(parsing text: String) throws(Failure) {
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            let colons = parts.first?.utf8.count { $0 == UInt8(ascii: ":") } ?? 0
            // One colon alone comes before a port, and brackets are written for one.
            guard let first = parts.first, let address = NetworkAddress(parsing: String(first)),
                colons != 1, !first.hasPrefix("[")
            else { throw .syntax }
            let isMapped = address.family == .ipv4 && colons > 0
            let bits = address.family == .ipv4 && !isMapped ? 32 : 128
            var length = bits
            if parts.count == 2 {
                let digits = Array(parts[1].utf8)
                let range = ByteRange(at: 0, count: digits.count)
                guard digits.count <= 3, digits.count == 1 || digits.first != UInt8(ascii: "0"),
                    let number = digits.span.decimal(in: range), number <= bits
                else { throw .syntax }
                length = number
            }
            // Networks of IPv4 written as ::ffff:0:0/96 and longer.
            if isMapped {
                guard length >= 96 else { throw .syntax }
                length -= 96
            }
            self.init(address: address, length: length)
            guard self.address == address else { throw .hostBits(self) }
        }

        /// Whether an address belongs to the network, whatever its port; a Unix socket never does.
        package func contains(_ address: NetworkAddress) -> Bool {
            guard address.family == self.address.family, address.family != .unix else {
                return false
            }
            let first = Self.first(of: address, length: self.length)
            return first.high == self.address.high && first.low == self.address.low
        }

        /// The network as text.
        package var description: String { "\(self.address.host)/\(self.length)" }

        private static func first(of address: NetworkAddress, length: Int) -> NetworkAddress {
            switch address.family {
            case .ipv4:
                let bits = UInt32(truncatingIfNeeded: address.low)
                // A shift by the whole width leaves nothing, as it should.
                return NetworkAddress(ipv4: bits & (UInt32.max << UInt32(32 - length)), port: 0)
            case .ipv6:
                let high = UInt64.max << UInt64(64 - min(length, 64))
                let low = UInt64.max << UInt64(64 - max(length - 64, 0))
                return NetworkAddress(ipv6: address.high & high, address.low & low, port: 0)
            case .unix:
                return address
            }
        }
    }
}
