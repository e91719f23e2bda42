// SPDX-License-Identifier: Apache-2.0
//
// Names and policies on the real loop: the resolver and the fetcher, as delivery asks them.

internal import DNSProtocol
internal import EventLoop
internal import MailBytes
internal import PolicyFetch
internal import Resolver

/// The resolver as a `NameResolver`.
final class LoopNames: NameResolver {
    private let resolver: Resolver
    private var queries: [LookUpID: ResolverQuery] = [:]
    private var lastID: UInt64 = 0

    init(_ resolver: Resolver) { self.resolver = resolver }

    func lookUp(
        _ name: String,
        _ type: DNSRecordType,
        answer: @escaping (DNSAnswer) -> Void
    ) -> LookUpID {
        self.lastID += 1
        let id = LookUpID(rawValue: self.lastID)
        self.queries[id] = self.resolver.lookUp(name, type) { [weak self] result in
            self?.queries[id] = nil
            answer(result)
        }
        return id
    }

    func cancel(_ id: LookUpID) {
        if let query = self.queries.removeValue(forKey: id) { self.resolver.cancel(query) }
    }
}

/// The fetcher as a `PolicySource`, which has to be told the addresses of the host that serves.
final class LoopPolicies: PolicySource {
    private let fetcher: PolicyFetcher
    private let names: any NameResolver

    init(_ fetcher: PolicyFetcher, names: any NameResolver) {
        self.fetcher = fetcher
        self.names = names
    }

    func fetchPolicy(of domain: String, answer: @escaping ([UInt8]?) -> Void) {
        var addresses: [NetworkAddress] = []
        var missing = 2
        for type in [DNSRecordType.a, .aaaa] {
            _ = self.names.lookUp("mta-sts.\(domain)", type) { [fetcher] result in
                addresses += result.addresses
                missing -= 1
                guard missing == 0 else { return }
                guard !addresses.isEmpty else { return answer(nil) }
                fetcher.fetch(domain: domain, addresses: addresses) { answer(try? $0.get()) }
            }
        }
    }
}

extension DNSAnswer {
    fileprivate var addresses: [NetworkAddress] {
        self.records.compactMap { record in
            guard case .address(let address) = record.content else { return nil }
            return address
        }
    }
}
