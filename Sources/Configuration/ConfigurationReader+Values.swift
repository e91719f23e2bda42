// SPDX-License-Identifier: Apache-2.0
//
// Reads one value in the form that its key demands.

internal import MailBytes
internal import MailSyntax

extension ConfigurationReader {
    /// Takes the value over, or says why not.
    mutating func read(_ value: TOMLValue, for key: ConfigurationKey) {
        let count = self.errors.count
        switch (key.form, value.content) {
        case (.number(let range, let place), .integer(let number)) where range ~= Int(number):
            self.configuration[keyPath: place] = Int(number)
        case (.optionalNumber(let range, let place), .integer(let number))
        where range ~= Int(number):
            self.configuration[keyPath: place] = Int(number)
        case (.flag(let place), .boolean(let flag)):
            self.configuration[keyPath: place] = flag
        case (.domain(let place), .string(let text)) where Self.isHostname(text):
            self.configuration[keyPath: place] = text
        case (.domains(let place), .array(let values)):
            self.readDomains(values, of: value, for: key, into: place)
        case (.patterns(let place), .array(let values)):
            self.configuration[keyPath: place] = self.patterns(values, key.path)
        case (.nameservers(let place), .array(let values)):
            self.configuration[keyPath: place] = self.nameservers(values, key.path)
        case (.sources(let place), .array(let values)):
            self.configuration[keyPath: place] = self.sources(values, key.path)
        case (.relay(let place), .string(let text)):
            self.configuration[keyPath: place] = self.relay(text, at: value.line, key.path)
        case (.login(let place), .string(let text)) where Self.isLogin(text):
            self.configuration[keyPath: place] = text
        case (.mailbox(let place), .string(let text)):
            self.readMailbox(text, at: value.line, for: key, into: place)
        case (.directory(let place), .string(let text)) where Self.isPath(text):
            self.configuration[keyPath: place] = ConfigurationFile.resolve(text, in: self.directory)
        case (.file(let place), .string(let text)) where Self.isPath(text):
            self.configuration[keyPath: place] = ConfigurationFile.resolve(text, in: self.directory)
        case (.user(let place), .string(let text)) where text.isEmpty || Self.isUser(text):
            self.configuration[keyPath: place] = text.isEmpty ? nil : text
        case (.delimiter(let place), .string(let text))
        where text.isEmpty || ConfigurationKey.delimiters.contains(text):
            self.configuration[keyPath: place] = text.utf8.first
        case (.networks(let place), .array(let values)):
            self.readNetworks(values, for: key, into: place)
        case (.choice(let names, let set), .string(let text)) where names.contains(text):
            set(&self.configuration, text)
        case (.mechanisms(let place), .array(let values)):
            self.readMechanisms(values, of: value, for: key, into: place)
        case (.certificates(let place), .array(let values)):
            self.configuration[keyPath: place] = self.rows(of: values, for: key)
                .compactMap { self.certificate($0) }
        case (.tokenIssuers(let place), .array(let values)):
            self.configuration[keyPath: place] = self.rows(of: values, for: key)
                .compactMap { self.tokenIssuer($0) }
        case (.number, _), (.optionalNumber, _), (.flag, _), (.domain, _), (.domains, _),
            (.mailbox, _), (.directory, _), (.file, _), (.user, _), (.delimiter, _),
            (.networks, _), (.choice, _), (.mechanisms, _), (.certificates, _),
            (.tokenIssuers, _), (.patterns, _), (.nameservers, _), (.sources, _), (.relay, _),
            (.login, _):
            self.complain(about: value, for: key)
        }
        if self.errors.count == count { self.lines[key.path] = value.line }
    }

    private mutating func complain(about value: TOMLValue, for key: ConfigurationKey) {
        self.complain(
            at: value.line,
            key.path,
            "must be \(key.expectation), not \(value.description)"
        )
    }

    private mutating func readDomains(
        _ values: [TOMLValue],
        of array: TOMLValue,
        for key: ConfigurationKey,
        into place: ConfigurationKey.Place<[String]>
    ) {
        guard !values.isEmpty else {
            let why = "is empty; name one domain at least (\(key.purpose))"
            return self.complain(at: array.line, key.path, why)
        }
        var domains: [String] = []
        for (index, value) in values.enumerated() {
            let path = "\(key.path)[\(index)]"
            guard case .string(let text) = value.content, let domain = Self.domain(text) else {
                let why = "must be a domain, such as \"example.org\", not \(value.description)"
                self.complain(at: value.line, path, why)
                continue
            }
            if domains.contains(domain) {
                self.complain(at: value.line, path, "names \(domain.quoted) a second time")
            } else {
                domains.append(domain)
            }
        }
        self.configuration[keyPath: place] = domains
    }

    private mutating func readMailbox(
        _ text: String,
        at line: Int,
        for key: ConfigurationKey,
        into place: ConfigurationKey.Place<Address?>
    ) {
        if let address = Address(parsing: text) {
            self.configuration[keyPath: place] = address
        } else {
            self.complain(at: line, key.path, "must be \(key.expectation), not \(text.quoted)")
        }
    }

    private mutating func readNetworks(
        _ values: [TOMLValue],
        for key: ConfigurationKey,
        into place: ConfigurationKey.Place<[Configuration.NetworkPrefix]>
    ) {
        self.configuration[keyPath: place] = self.networks(values, key.path)
    }

    mutating func networks(_ values: [TOMLValue], _ path: String) -> [Configuration.NetworkPrefix] {
        var networks: [Configuration.NetworkPrefix] = []
        for (index, value) in values.enumerated() {
            let path = "\(path)[\(index)]"
            guard case .string(let text) = value.content else {
                let why = "must be a network, such as \"192.0.2.0/24\", not \(value.description)"
                self.complain(at: value.line, path, why)
                continue
            }
            do throws(Configuration.NetworkPrefix.Failure) {
                networks.append(try Configuration.NetworkPrefix(parsing: text))
            } catch {
                let why =
                    switch error {
                    case .syntax: "must be a network, such as \"192.0.2.0/24\", not \(text.quoted)"
                    case .hostBits(let meant):
                        "\(text.quoted) has bits set beyond its length; did you mean "
                            + "\(meant.description.quoted)?"
                    }
                self.complain(at: value.line, path, why)
            }
        }
        return networks
    }

    private mutating func readMechanisms(
        _ values: [TOMLValue],
        of array: TOMLValue,
        for key: ConfigurationKey,
        into place: ConfigurationKey.Place<[Configuration.Mechanism]?>
    ) {
        guard !values.isEmpty else {
            let why = "is empty; name one mechanism at least, or leave it out for all that can work"
            return self.complain(at: array.line, key.path, why)
        }
        let names = Configuration.Mechanism.allCases.map(\.rawValue)
        var mechanisms: [Configuration.Mechanism] = []
        for (index, value) in values.enumerated() {
            let path = "\(key.path)[\(index)]"
            guard case .string(let text) = value.content,
                let mechanism = Configuration.Mechanism(rawValue: text)
            else {
                let known = names.map(\.quoted).joined(separator: " ")
                let why = "must be one of \(known), not \(value.description)"
                self.complain(at: value.line, path, why)
                continue
            }
            if mechanisms.contains(mechanism) {
                self.complain(at: value.line, path, "names \(text.quoted) a second time")
            } else {
                mechanisms.append(mechanism)
            }
        }
        self.configuration[keyPath: place] = mechanisms
    }

    // MARK: - Texts

    /// A domain in its canonical form; nil when it is none.
    static func domain(_ text: String) -> String? {
        guard let address = Address(parsing: "postmaster@\(text)"), !text.hasPrefix("[") else {
            return nil
        }
        // An address of the internet is no domain, though its parts look like labels.
        let top = address.domain.split(separator: .dot).last ?? []
        guard !top.allSatisfy(\.isASCIIDigit) else { return nil }
        return String(decoding: address.domain, as: UTF8.self)
    }

    /// Whether a text is a domain of letters, digits and hyphens, as greetings must have.
    static func isHostname(_ text: String) -> Bool {
        self.domain(text) != nil && text.utf8.count <= 253
            && text.utf8.allSatisfy {
                $0.isASCIILetter || $0.isASCIIDigit || $0 == .dot || $0 == UInt8(ascii: "-")
            }
    }

    /// Whether a text can name a user of the system.
    static func isUser(_ text: String) -> Bool {
        text.utf8.count <= 32
            && text.utf8.first.map { $0.isASCIILetter || $0 == UInt8(ascii: "_") } ?? false
            && text.utf8.allSatisfy {
                $0.isASCIILetter || $0.isASCIIDigit || $0 == UInt8(ascii: "_") || $0 == .dot
                    || $0 == UInt8(ascii: "-")
            }
    }

    /// Whether a text can name a file.
    static func isPath(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count < 4096 && !text.utf8.contains(0)
    }
}
