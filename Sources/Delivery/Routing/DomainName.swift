// SPDX-License-Identifier: Apache-2.0
//
// Whether a destination can be asked of DNS at all, or is an address itself.

internal import MailBytes

extension Destination {
    /// Whether it is a literal: brackets with something between them.
    var isLiteral: Bool { self.octets.first == UInt8(ascii: "[") }

    /// The address that a literal names (RFC 5321, section 4.1.3), with that port; nil when it is
    /// none that can be connected to.
    func literalAddress(port: UInt16) -> NetworkAddress? {
        guard self.isLiteral, self.octets.last == UInt8(ascii: "]"), self.octets.count > 2 else {
            return nil
        }
        var text = self.octets.dropFirst().dropLast()
        let tag = Array("ipv6:".utf8)
        let isTagged = text.prefix(tag.count).map(\.lowercasedASCII) == tag
        if isTagged { text = text.dropFirst(tag.count) }
        // A colon belongs to IPv6 alone, and a second pair of brackets to neither.
        guard isTagged == text.contains(UInt8(ascii: ":")), text.first != UInt8(ascii: "["),
            let address = NetworkAddress(octets: Array(text).span)
        else { return nil }
        return address.with(port: port)
    }

    /// Whether it has the form of a host name (RFC 5321, section 2.3.5; with the underscore, which
    /// some have in spite of it).
    var isDomainName: Bool {
        guard self.octets.count <= 253 else { return false }
        return self.octets.split(separator: .dot, omittingEmptySubsequences: false)
            .allSatisfy { label in
                (1...63).contains(label.count)
                    && label.allSatisfy { octet in
                        octet.isASCIILetter || octet.isASCIIDigit
                            || octet == UInt8(ascii: "-") || octet == UInt8(ascii: "_")
                    }
            }
    }
}

extension NetworkAddress {
    /// Whether mail can be sent there: not to nobody, and not to many at once.
    var isOneHost: Bool {
        switch self.family {
        case .unix: false
        case .ipv4:
            switch UInt32(truncatingIfNeeded: self.low) >> 24 {
            case 0, 224...239, 255: false
            default: true
            }
        case .ipv6: (self.high, self.low) != (0, 0) && self.high >> 56 != 0xff
        }
    }

    /// Whether it is 0.0.0.0 or ::.
    var isUnspecified: Bool {
        switch self.family {
        case .unix: false
        case .ipv4: UInt32(truncatingIfNeeded: self.low) == 0
        case .ipv6: (self.high, self.low) == (0, 0)
        }
    }
}

extension RouteSettings {
    /// Whether a connection to the address would come back to this server.
    func isOwn(_ address: NetworkAddress) -> Bool {
        self.ownAddresses.contains { own in
            guard own.port == 0 || own.port == address.port else { return false }
            if own.isUnspecified { return address.isLoopback }
            return own.with(port: 0) == address.with(port: 0)
        }
    }
}
