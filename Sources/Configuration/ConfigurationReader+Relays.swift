// SPDX-License-Identifier: Apache-2.0
//
// Reads what names other servers and domains: the values of [delivery] and [[route]].

internal import MailBytes

extension ConfigurationReader {
    /// Domains, and all below a domain.
    mutating func patterns(
        _ values: [TOMLValue],
        _ path: String
    ) -> [Configuration.DomainPattern] {
        var patterns: [Configuration.DomainPattern] = []
        for (index, value) in values.enumerated() {
            let path = "\(path)[\(index)]"
            guard case .string(let text) = value.content, let pattern = Self.pattern(text) else {
                let why = "must be a domain, such as \"example.org\" or \"*.example.org\""
                self.complain(at: value.line, path, "\(why), not \(value.description)")
                continue
            }
            if patterns.contains(pattern) {
                let why = "names \(pattern.description.quoted) a second time"
                self.complain(at: value.line, path, why)
            } else {
                patterns.append(pattern)
            }
        }
        return patterns
    }

    /// `example.org`, `*.example.org` or `*`; nil for anything else.
    static func pattern(_ text: String) -> Configuration.DomainPattern? {
        if text == "*" { return .any }
        if text.hasPrefix("*.") { return self.domain(String(text.dropFirst(2))).map { .below($0) } }
        return self.domain(text).map { .domain($0) }
    }

    /// Addresses with a port behind `@`, 53 when it is left out.
    mutating func nameservers(_ values: [TOMLValue], _ path: String) -> [NetworkAddress] {
        values.enumerated().compactMap { index, value in
            if case .string(let text) = value.content, let address = Self.nameserver(text) {
                return address
            }
            let why = "must be an address, such as \"192.0.2.1\" or \"2001:db8::1@53\", not "
            self.complain(at: value.line, "\(path)[\(index)]", why + value.description)
            return nil
        }
    }

    private static func nameserver(_ text: String) -> NetworkAddress? {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = Self.bareAddress(String(first)) else {
            return nil
        }
        guard parts.count == 2 else { return address.with(port: 53) }
        return Self.port(parts[1]).map { address.with(port: UInt16($0)) }
    }

    /// The addresses of this machine that connections come from.
    mutating func sources(_ values: [TOMLValue], _ path: String) -> [NetworkAddress] {
        var addresses: [NetworkAddress] = []
        for (index, value) in values.enumerated() {
            let path = "\(path)[\(index)]"
            guard case .string(let text) = value.content, let address = Self.bareAddress(text)
            else {
                let why = "must be an address without a port, such as \"192.0.2.1\", not "
                self.complain(at: value.line, path, why + value.description)
                continue
            }
            if addresses.contains(where: { $0.family == address.family }) {
                let why = "is the second address of its family; connections come from one"
                self.complain(at: value.line, path, why)
            } else {
                addresses.append(address)
            }
        }
        return addresses
    }

    /// An address without brackets and without a port.
    private static func bareAddress(_ text: String) -> NetworkAddress? {
        guard !text.hasPrefix("["), let address = NetworkAddress(parsing: text), address.port == 0
        else { return nil }
        return address
    }

    private static func port(_ text: Substring) -> Int? {
        let digits = Array(text.utf8)
        guard digits.count <= 5, digits.first != UInt8(ascii: "0"),
            let port = digits.span.decimal(in: ByteRange(at: 0, count: digits.count)),
            1...65_535 ~= port
        else { return nil }
        return port
    }

    // MARK: - Servers

    /// `smtp:HOST:PORT`, `smtps:HOST:PORT`, `lmtp:HOST:PORT` or `lmtp:unix:PATH`; an error for
    /// anything else.
    mutating func relay(_ text: String, at line: Int, _ path: String) -> Configuration.Relay? {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let first = parts.first,
            let transport = Configuration.Relay.Transport(rawValue: String(first))
        else {
            self.complain(at: line, path, "must be \(Self.serverForms), not \(text.quoted)")
            return nil
        }
        let rest = String(parts[1])
        if rest.hasPrefix("unix:") {
            let name = String(rest.dropFirst(5))
            guard transport == .lmtp else {
                let why = "only LMTP is spoken over Unix sockets; write \"lmtp:\(rest)\""
                self.complain(at: line, path, why)
                return nil
            }
            return self.unixAddress(name, at: line, path)
                .map { Configuration.Relay(transport: transport, host: .unix(path: $0)) }
        }
        return self.host(rest, of: text, at: line, path)
            .map { Configuration.Relay(transport: transport, host: $0) }
    }

    static let serverForms =
        "\"smtp:HOST:PORT\", \"smtps:HOST:PORT\", \"lmtp:HOST:PORT\" or \"lmtp:unix:PATH\""

    /// A name or an address, with its port.
    private mutating func host(
        _ rest: String,
        of text: String,
        at line: Int,
        _ path: String
    ) -> Configuration.Relay.Host? {
        guard let colon = rest.lastIndex(of: ":"), !rest.hasSuffix("]") else {
            self.complain(at: line, path, "\(text.quoted) has no port; write \"\(text):25\"")
            return nil
        }
        let name = String(rest[..<colon])
        let digits = rest[rest.index(after: colon)...]
        guard let port = Self.port(digits) else {
            let why = "\(text.quoted) has no port from 1 to 65535 at its end"
            self.complain(at: line, path, why)
            return nil
        }
        let bare = name.hasPrefix("[") && name.hasSuffix("]")
        if let address = NetworkAddress(parsing: name), address.port == 0,
            bare == (address.family == .ipv6)
        {
            return .ip(address.with(port: UInt16(port)))
        }
        guard Self.isHostname(name) else {
            let why = "\(name.quoted) is neither the name of a host nor an address"
            self.complain(at: line, path, why + " (IPv6 addresses stand in brackets)")
            return nil
        }
        return .name(name.lowercased(), port: port)
    }

    /// Whether a text can be the name of who logs in.
    static func isLogin(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 255 && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
    }
}
