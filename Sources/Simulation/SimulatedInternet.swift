// SPDX-License-Identifier: Apache-2.0
//
// The other servers of a simulation: domains, the hosts that take their mail, and what is wrong
// with either. It outlives each incarnation of the server.

internal import DNSProtocol
internal import MailBytes

/// All domains and hosts of one simulation.
final class SimulatedInternet {
    /// What the domain name system says of a domain.
    enum Zone {
        /// MX records with these hosts, in the order of preference.
        case exchangers([SimulatedHost])
        /// No MX; the domain itself is a host.
        case implicit(SimulatedHost)
        /// RFC 7505.
        case nullMX
        case missing
        /// SERVFAIL, always.
        case broken
        /// MX that lead to this server.
        case ourselves
        /// MX with a name that does not exist.
        case noAddress
    }

    struct Domain {
        let name: String
        let zone: Zone
        /// Nobody can tell, once in so many questions; 0: never.
        let failsOneIn: Int
        /// Whether DNSSEC proves what it says.
        let isSecure: Bool
        /// The mode of its policy of MTA-STS; nil: it has none.
        let policyMode: String?
    }

    let world: VirtualWorld
    private(set) var domains: [Domain] = []
    private var domainsByName: [String: Domain] = [:]
    private var hostsByName: [String: SimulatedHost] = [:]
    private var hostsByAddress: [NetworkAddress: SimulatedHost] = [:]
    private var addressCount: UInt32 = 0

    init(world: VirtualWorld, seed: UInt64, domains count: Int) {
        self.world = world
        for index in 0..<count { self.addDomain("d\(index).\(seed).example") }
    }

    private func addDomain(_ name: String) {
        let zone: Zone =
            switch self.world.pick(16) {
            case 0: .nullMX
            case 1: .missing
            case 2: .broken
            case 3: .ourselves
            case 4: .noAddress
            case 5, 6: .implicit(self.makeHost(name))
            default:
                .exchangers((0...self.world.pick(3)).map { self.makeHost("mx\($0).\(name)") })
            }
        let domain = Domain(
            name: name,
            zone: zone,
            failsOneIn: [0, 0, 3, 10][self.world.pick(4)],
            isSecure: self.world.oneIn(4),
            policyMode: [nil, nil, nil, "testing", "enforce"][self.world.pick(5)]
        )
        self.domains.append(domain)
        self.domainsByName[name] = domain
    }

    private func makeHost(_ name: String) -> SimulatedHost {
        let addresses = (0...self.world.pick(2)).map { _ in
            self.addressCount += 1
            return NetworkAddress(ipv4: 0xcb00_7100 + self.addressCount, port: 25)
        }
        let host = SimulatedHost(world: self.world, name: name, addresses: addresses)
        self.hostsByName[name] = host
        for address in addresses { self.hostsByAddress[address] = host }
        return host
    }

    func host(at address: NetworkAddress) -> SimulatedHost? {
        self.hostsByAddress[address]
    }

    // MARK: - The domain name system

    /// What is answered to a question now.
    func answer(_ name: String, _ type: DNSRecordType) -> DNSAnswer {
        let name = name.lowercased()
        if name == Self.ownName { return self.found(name, type, []) }
        if let host = self.hostsByName[name], type == .a {
            return self.found(name, type, host.addresses.map { .address($0.with(port: 0)) })
        }
        if name.hasPrefix("_25._tcp."), type == .tlsa {
            let host = self.hostsByName[String(name.dropFirst(9))]
            return self.found(name, type, host?.tlsa.map { .tlsa($0) } ?? [])
        }
        if name.hasPrefix("_mta-sts."), type == .txt {
            let domain = self.domainsByName[String(name.dropFirst(9))]
            let text = domain?.policyMode.map { _ in Array("v=STSv1; id=1".utf8) }
            return self.found(name, type, text.map { [.txt($0)] } ?? [])
        }
        guard let domain = self.domainsByName[name] else {
            let isHost = self.hostsByName[name] != nil
            return DNSAnswer(
                name: name,
                type: type,
                outcome: isHost ? .noData : .noSuchName,
                isSecure: self.isSecure(name),
                timeToLive: 60
            )
        }
        return self.answer(domain, type)
    }

    private func answer(_ domain: Domain, _ type: DNSRecordType) -> DNSAnswer {
        if domain.failsOneIn > 0, self.world.oneIn(domain.failsOneIn) {
            return self.failed(domain.name, type)
        }
        switch domain.zone {
        case .broken: return self.failed(domain.name, type)
        case .missing:
            return DNSAnswer(name: domain.name, type: type, outcome: .noSuchName, timeToLive: 60)
        case .exchangers(let hosts) where type == .mx:
            let contents = hosts.enumerated().map { index, host in
                // Some are preferred alike.
                DNSRecord.Content.mx(preference: UInt16(index / 2 * 10), exchange: host.name)
            }
            return self.found(domain.name, type, contents)
        case .nullMX where type == .mx:
            return self.found(domain.name, type, [.mx(preference: 0, exchange: ".")])
        case .ourselves where type == .mx:
            return self.found(domain.name, type, [.mx(preference: 0, exchange: Self.ownName)])
        case .noAddress where type == .mx:
            let exchange = "nowhere.\(domain.name)"
            return self.found(domain.name, type, [.mx(preference: 0, exchange: exchange)])
        case .exchangers, .nullMX, .ourselves, .noAddress, .implicit:
            return self.found(domain.name, type, [])
        }
    }

    /// The policy that a domain serves now, if it can be had.
    func policy(of domain: String) -> [UInt8]? {
        guard let mode = self.domainsByName[domain]?.policyMode, !self.world.oneIn(5) else {
            return nil
        }
        // Not all hosts that MX name are among them.
        let text = "version: STSv1\nmode: \(mode)\nmx: mx0.\(domain)\nmx: mx1.\(domain)\n"
        return Array("\(text)max_age: 3600\n".utf8)
    }

    private func failed(_ name: String, _ type: DNSRecordType) -> DNSAnswer {
        DNSAnswer(name: name, type: type, outcome: .failed("SERVFAIL"))
    }

    private func found(
        _ name: String,
        _ type: DNSRecordType,
        _ contents: [DNSRecord.Content]
    ) -> DNSAnswer {
        DNSAnswer(
            name: name,
            type: type,
            outcome: contents.isEmpty ? .noData : .found,
            records: contents.map {
                DNSRecord(name: name, type: type, timeToLive: 60, content: $0)
            },
            isSecure: self.isSecure(name),
            timeToLive: 60
        )
    }

    private func isSecure(_ name: String) -> Bool {
        self.domains.contains { $0.isSecure && (name == $0.name || name.hasSuffix(".\($0.name)")) }
    }

    /// The name of the server.
    static let ownName = "mail.example.test"
}
