// SPDX-License-Identifier: Apache-2.0
//
// What the command line asks of accounts, aliases and the queue, and its form on the control
// socket: one line a request, fields with a TAB between them, octets that would break the line as
// %XX. The answer is any number of `=` lines with fields and one last line, `.` for success or `!`
// with a reason.

internal import MailStore
package import MailSyntax

/// One change of, or question about, accounts, aliases and the queue.
package enum AdministrationRequest: Sendable, Equatable {
    case addAccount(Address, verifier: [UInt8], secret: [UInt8]?, quota: Int?)
    case setPassword(Address, verifier: [UInt8], secret: [UInt8]?)
    case removeAccount(Address)
    case setQuota(Address, Int?)
    case accounts(after: Address?, count: Int)
    case addAlias(Address, [Address])
    case removeAlias(Address)
    case aliases(after: Address?, count: Int)
    case queue(QueueRequest)

    /// At most so many rows come with one listing; the next is asked for with `after`.
    package static let rowsMax = 1000
}

extension AdministrationRequest {
    /// The request as one line without its line end.
    package var line: [UInt8] {
        switch self {
        case .addAccount(let address, let verifier, let secret, let quota):
            Self.line(
                "user-add",
                address.octets,
                verifier,
                secret ?? [],
                Array((quota.map(String.init) ?? "").utf8)
            )
        case .setPassword(let address, let verifier, let secret):
            Self.line("user-passwd", address.octets, verifier, secret ?? [])
        case .removeAccount(let address):
            Self.line("user-remove", address.octets)
        case .setQuota(let address, let quota):
            Self.line("user-quota", address.octets, Array((quota.map(String.init) ?? "").utf8))
        case .accounts(let after, let count):
            Self.line("user-list", after?.octets ?? [], Array(String(count).utf8))
        case .addAlias(let address, let targets):
            ControlLine.encode(
                [Array("alias-add".utf8), address.octets] + targets.map(\.octets)
            )
        case .removeAlias(let address):
            Self.line("alias-remove", address.octets)
        case .aliases(let after, let count):
            Self.line("alias-list", after?.octets ?? [], Array(String(count).utf8))
        case .queue(let request):
            ControlLine.encode(request.fields)
        }
    }

    private static func line(_ verb: String, _ fields: [UInt8]...) -> [UInt8] {
        ControlLine.encode([Array(verb.utf8)] + fields)
    }

    /// Reads a request line; nil when it is none.
    package init?(line: [UInt8]) {
        guard let fields = ControlLine.decode(line), let verb = fields.first else { return nil }
        let arguments = fields.dropFirst()
        func address(_ index: Int) -> Address? {
            guard arguments.count >= index else { return nil }
            let octets = arguments[index]
            return Address(octets: octets.span)
        }
        func optional(_ index: Int) -> [UInt8]? {
            arguments[index].isEmpty ? nil : arguments[index]
        }
        func number(_ index: Int) -> Int? {
            Int(String(decoding: arguments[index], as: UTF8.self))
        }
        switch (String(decoding: verb, as: UTF8.self), arguments.count) {
        case ("user-add", 4):
            guard let address = address(1) else { return nil }
            if optional(4) != nil, number(4) == nil { return nil }
            self = .addAccount(
                address,
                verifier: arguments[2],
                secret: optional(3),
                quota: number(4)
            )
        case ("user-passwd", 3):
            guard let address = address(1) else { return nil }
            self = .setPassword(address, verifier: arguments[2], secret: optional(3))
        case ("user-remove", 1):
            guard let address = address(1) else { return nil }
            self = .removeAccount(address)
        case ("user-quota", 2):
            guard let address = address(1) else { return nil }
            if optional(2) != nil, number(2) == nil { return nil }
            self = .setQuota(address, number(2))
        case ("user-list", 2):
            guard let count = number(2), (1...Self.rowsMax).contains(count) else { return nil }
            self = .accounts(after: optional(1) == nil ? nil : address(1), count: count)
        case ("alias-add", 2...):
            guard let alias = address(1) else { return nil }
            let targets = arguments.dropFirst().compactMap { Address(octets: $0.span) }
            guard targets.count == arguments.count - 1 else { return nil }
            self = .addAlias(alias, targets)
        case ("alias-remove", 1):
            guard let address = address(1) else { return nil }
            self = .removeAlias(address)
        case ("alias-list", 2):
            guard let count = number(2), (1...Self.rowsMax).contains(count) else { return nil }
            self = .aliases(after: optional(1) == nil ? nil : address(1), count: count)
        default:
            guard let request = QueueRequest(fields: fields) else { return nil }
            self = .queue(request)
        }
    }

    /// Why the request cannot be carried out under these domains, or nil.
    package func refusal(localDomains: [String]) -> String? {
        let domains = Set(localDomains.map { $0.lowercased() })
        func isLocal(_ address: Address) -> Bool {
            domains.contains(String(decoding: address.domain, as: UTF8.self))
        }
        switch self {
        case .addAccount(let address, _, _, _) where !isLocal(address),
            .addAlias(let address, _) where !isLocal(address):
            return "\(address.text) is in no local domain; local-domains in the configuration "
                + "lists \(localDomains.joined(separator: ", "))"
        default:
            return nil
        }
    }
}
