// SPDX-License-Identifier: Apache-2.0
//
// A host on its way into a plan: its name is known, its addresses may not be yet.

internal import DNSProtocol
internal import MailBytes

/// One host whose addresses are asked for, or are given.
struct RouteCandidate: Sendable {
    /// What the answers say of it.
    enum Standing: Hashable {
        case usable([NetworkAddress])
        /// A connection to it would come back to us.
        case ourselves
        case noAddress
        /// Why nobody could tell.
        case unknown(String)
    }

    var host: RouteHost
    /// Of the addresses that are found.
    let port: UInt16

    /// Whether the name has to be asked for.
    var isNamed: Bool { self.host.endpoints.isEmpty }

    /// The questions for its addresses.
    func addressQuestions(_ families: [NetworkAddress.Family]) -> [DNSQuestion] {
        guard self.isNamed else { return [] }
        return families.compactMap { family in
            switch family {
            case .ipv4: DNSQuestion(self.host.name, .a)
            case .ipv6: DNSQuestion(self.host.name, .aaaa)
            case .unix: nil
            }
        }
    }

    /// The questions for its TLSA records, once its addresses are known; the first one that has
    /// any counts.
    ///
    /// None unless DNSSEC proves all that led there (RFC 7672, section 2.2): the answer for an
    /// unsigned zone proves nothing, and some name servers stumble over the question. Behind an
    /// alias they stand below the name it leads to, or else below its own (section 2.2.3).
    func tlsaQuestions(_ addresses: [DNSAnswer]) -> [DNSQuestion] {
        let found = addresses.filter { $0.outcome == .found }
        guard self.host.isNameSecure, self.host.transport != .lmtp, let first = found.first,
            found.allSatisfy(\.isSecure)
        else { return [] }
        let canonicalName = first.canonicalName.lowercased()
        let bases =
            canonicalName == self.host.name ? [canonicalName] : [canonicalName, self.host.name]
        return bases.map { base in
            DNSQuestion(DANEStatus.queryName(host: base, port: self.port), .tlsa)
        }
    }

    /// What the answers for its addresses come to.
    func standing(_ answers: [DNSAnswer], _ settings: RouteSettings) -> Standing {
        let addresses = answers.map { answer in
            answer.records.compactMap { record -> NetworkAddress? in
                guard case .address(let address) = record.content, address.isOneHost else {
                    return nil
                }
                return address.with(port: self.port)
            }
        }
        if addresses.contains(where: { $0.contains(where: settings.isOwn) }) { return .ourselves }
        let order = Self.interleaved(addresses, max: settings.addressesPerHostMax)
        if !order.isEmpty { return .usable(order) }
        for answer in answers {
            if case .failed(let reason) = answer.outcome { return .unknown(reason) }
        }
        return .noAddress
    }

    /// One address of each family in turn (RFC 8305, section 4), each once.
    private static func interleaved(_ families: [[NetworkAddress]], max: Int) -> [NetworkAddress] {
        var order: [NetworkAddress] = []
        for index in 0..<(families.map(\.count).max() ?? 0) {
            for family in families where index < family.count && order.count < max {
                if !order.contains(family[index]) { order.append(family[index]) }
            }
            if order.count >= max { break }
        }
        return order
    }
}
