// SPDX-License-Identifier: Apache-2.0

import MailStore
import MailSyntax
import StoreSupport
import Testing

@testable import Server

@Suite("Where mail goes")
struct AddressResolverTests {
    private let disk: TemporaryStore

    init() throws {
        self.disk = try TemporaryStore()
        for name in ["anna", "bert", "rest", "anna+work"] { try self.addAccount(name) }
        try self.addAlias("team", ["anna@example.test", "bert@example.test"])
        try self.addAlias("all", ["team@example.test", "anna@example.test", "rest@example.test"])
        try self.addAlias("lost", ["gone@example.test"])
    }

    private func addAccount(_ name: String) throws {
        let account = NewAccount(
            address: try #require(Address(parsing: "\(name)@example.test")),
            verifier: [],
            recoverableSecret: nil,
            quota: name == "bert" ? 500 : nil
        )
        guard case .accountAdded = self.disk.store.commit([.addAccount(account)])[0] else {
            throw StoreError.retryable("the account was not added")
        }
    }

    private func addAlias(_ name: String, _ targets: [String]) throws {
        let alias = try #require(Address(parsing: "\(name)@example.test"))
        _ = self.disk.store.commit([
            .addAlias(alias, targets: targets.compactMap(Address.init(parsing:)))
        ])
    }

    private func resolver(delimiter: Bool = true, catchAll: String? = nil) throws -> AddressResolver
    {
        AddressResolver(
            reader: self.disk.reader,
            policy: AddressPolicy(
                delimiter: delimiter ? UInt8(ascii: "+") : nil,
                catchAll: catchAll.flatMap(Address.init(parsing:)),
                postmaster: try #require(Address(parsing: "rest@example.test")),
                localDomains: ["example.test"]
            )
        )
    }

    /// The names of the maildrops, or nil when the address is unknown.
    private func names(_ text: String, _ resolver: AddressResolver) throws -> Set<String>? {
        let address = try #require(Address(parsing: "\(text)@example.test"))
        guard case .targets(let targets, _) = try resolver.resolve(address) else { return nil }
        let ids = targets.map(\.account)
        #expect(Set(ids).count == ids.count)
        return Set(
            try ["anna", "bert", "rest", "anna+work"].filter { name in
                let address = try #require(Address(parsing: "\(name)@example.test"))
                let account = try #require(try self.disk.reader.account(address))
                return ids.contains(account.id)
            }
        )
    }

    @Test(
        "Accounts, aliases of aliases, details, postmaster",
        arguments: [
            ("anna", ["anna"]), ("team", ["anna", "bert"]), ("all", ["anna", "bert", "rest"]),
            ("bert+lists", ["bert"]), ("anna+work", ["anna+work"]), ("anna+other", ["anna"]),
            ("team+x", ["anna", "bert"]), ("postmaster", ["rest"]), ("postmaster+x", nil),
            ("nobody", nil), ("nobody+x", nil), ("lost", nil),
        ] as [(String, Set<String>?)]
    )
    func resolved(name: String, expected: Set<String>?) throws {
        #expect(try self.names(name, self.resolver()) == expected)
    }

    @Test("Without a delimiter there are no details")
    func noDelimiter() throws {
        #expect(try self.names("bert+lists", self.resolver(delimiter: false)) == nil)
    }

    @Test("The catch-all takes what nobody else does, in its own domain")
    func catchAll() throws {
        let resolver = try self.resolver(catchAll: "rest@example.test")
        #expect(try self.names("nobody", resolver) == ["rest"])
        #expect(try self.names("anna", resolver) == ["anna"])
        let elsewhere = try #require(Address(parsing: "nobody@second.test"))
        #expect(try !resolver.resolve(elsewhere).isDeliverable)
    }

    @Test("Aliases lead to other domains, each address once")
    func elsewhere() throws {
        try self.addAlias("far", ["x@far.example", "Y@Far.example", "anna@example.test"])
        try self.addAlias("farther", ["far@example.test", "x@far.example", "gone@example.test"])
        let address = try #require(Address(parsing: "farther@example.test"))
        guard case .targets(let here, let elsewhere) = try self.resolver().resolve(address) else {
            Issue.record("farther is unknown")
            return
        }
        #expect(here.count == 1)
        #expect(elsewhere.map(\.text).sorted() == ["x@far.example", "y@far.example"])
        try self.addAlias("only", ["x@far.example"])
        let only = try #require(Address(parsing: "only@example.test"))
        guard case .targets([], let others) = try self.resolver().resolve(only) else {
            Issue.record("only leads nowhere")
            return
        }
        #expect(others.map(\.text) == ["x@far.example"])
    }

    @Test("A quota comes with what the maildrop holds")
    func quota() throws {
        let bert = try #require(Address(parsing: "bert@example.test"))
        guard case .targets(let targets, _) = try self.resolver().resolve(bert) else {
            Issue.record("bert is unknown")
            return
        }
        #expect(targets.map(\.quota) == [500])
    }

    @Test("Members are what an alias leads to at its first step")
    func expanded() throws {
        let resolver = try self.resolver()
        func members(_ name: String) throws -> String? {
            let address = try #require(Address(parsing: "\(name)@example.test"))
            return try resolver.expand(address).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(
            try members("all") == "team@example.test\nanna@example.test\nrest@example.test"
        )
        #expect(try members("anna") == "anna@example.test")
        #expect(try members("nobody") == nil)
    }
}
