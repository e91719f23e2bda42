// SPDX-License-Identifier: Apache-2.0
//
// What is known of one key: its name, where its value goes, which values are right, and what it is
// for. Error messages and the check of the reference file are made from this.

internal import MailBytes
internal import MailSyntax

/// A key of the file outside of [[listener]] and [[route]].
struct ConfigurationKey: Sendable {
    /// The tables of the file.
    enum Table: String, CaseIterable, Sendable {
        case top = ""
        case tls
        case auth
        case submission
        case smtp
        case pop3
        case delivery
        case store
        case log
        case limits

        /// A key of the table with its full path.
        func path(of name: String) -> String {
            self == .top ? name.asKey : "\(self.rawValue).\(name.asKey)"
        }
    }

    typealias Place<Value> = any WritableKeyPath<Configuration, Value> & Sendable

    /// Which values are right, and where they go.
    enum Form: Sendable {
        case number(ClosedRange<Int>, Place<Int>)
        case optionalNumber(ClosedRange<Int>, Place<Int?>)
        case flag(Place<Bool>)
        case domain(Place<String>)
        case domains(Place<[String]>)
        case patterns(Place<[Configuration.DomainPattern]>)
        case mailbox(Place<Address?>)
        case directory(Place<String>)
        case file(Place<String?>)
        case user(Place<String?>)
        case delimiter(Place<UInt8?>)
        case networks(Place<[Configuration.NetworkPrefix]>)
        case nameservers(Place<[NetworkAddress]>)
        case sources(Place<[NetworkAddress]>)
        case relay(Place<Configuration.Relay?>)
        case login(Place<String?>)
        case choice([String], set: @Sendable (inout Configuration, String) -> Void)
        case mechanisms(Place<[Configuration.Mechanism]?>)
        case certificates(Place<[Configuration.TLS.Certificate]>)
        case tokenIssuers(Place<[Configuration.Auth.TokenIssuer]>)
    }

    let table: Table
    let name: String
    let form: Form
    /// What the value says, to be read after it: "seconds that …".
    let purpose: String
    /// Whether the file must have the key.
    let isRequired: Bool

    init(
        _ table: Table,
        _ name: String,
        _ form: Form,
        _ purpose: String,
        isRequired: Bool = false
    ) {
        self.table = table
        self.name = name
        self.form = form
        self.purpose = purpose
        self.isRequired = isRequired
    }

    /// The full key path, such as `limits.idle-seconds`.
    var path: String { self.table.path(of: self.name) }

    /// What would be right, to be read after "must be".
    var expectation: String {
        switch self.form {
        case .number(let range, _), .optionalNumber(let range, _):
            "an integer from \(range.lowerBound) to \(range.upperBound) (\(self.purpose))"
        case .flag: "true or false (\(self.purpose))"
        case .domain: "a domain in ASCII, such as \"mail.example.org\" (\(self.purpose))"
        case .domains: "an array of domains, such as [\"example.org\"] (\(self.purpose))"
        case .patterns:
            "an array of domains, such as [\"example.org\", \"*.example.org\"] (\(self.purpose))"
        case .mailbox: "an address, such as \"office@example.org\" (\(self.purpose))"
        case .directory: "the path of a directory (\(self.purpose))"
        case .file: "the path of a file (\(self.purpose))"
        case .user: "the name of a user, or \"\" for none (\(self.purpose))"
        case .delimiter:
            "one of \(Self.delimiters.map(\.quoted).joined(separator: " ")), or \"\" for none "
                + "(\(self.purpose))"
        case .networks:
            "an array of networks, such as [\"192.0.2.0/24\", \"2001:db8::/32\"]"
                + " (\(self.purpose))"
        case .nameservers:
            "an array of addresses with ports, such as [\"127.0.0.1@53\"] (\(self.purpose))"
        case .sources:
            "an array of one IPv4 and one IPv6 address at most (\(self.purpose))"
        case .relay:
            "a server, such as \"smtp:relay.example.org:587\" (\(self.purpose))"
        case .login: "a name of printable characters (\(self.purpose))"
        case .choice(let names, _):
            "one of \(names.map(\.quoted).joined(separator: " ")) (\(self.purpose))"
        case .mechanisms:
            "an array of mechanisms, such as [\"SCRAM-SHA-256\", \"PLAIN\"] (\(self.purpose))"
        case .certificates, .tokenIssuers:
            "one or more tables, [[\(self.path)]] (\(self.purpose))"
        }
    }

    /// Signs that may part a mailbox from its detail: atom text that no name is made of.
    static let delimiters = ["+", "-", "_", "=", "#", "~"]
}
