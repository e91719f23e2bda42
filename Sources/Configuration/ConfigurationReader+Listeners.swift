// SPDX-License-Identifier: Apache-2.0
//
// Reads the [[listener]] tables.

internal import MailBytes

extension ConfigurationReader {
    /// The keys of a [[listener]] table.
    enum Listener {
        static let keys = [
            "service", "address", "tls", "plaintext-auth", "proxy-protocol", "xclient-networks",
            "xclient-login", "optional",
        ]
        /// Values that the file will take one day.
        static let unbuiltServices = ["admin"]
        /// The longest path of a Unix socket; its NUL is the 108th octet (unix(7)).
        static let pathOctetsMax = 107
    }

    /// Reads all listeners; those with errors are left out.
    mutating func readListeners(_ entry: TOMLTable.Entry) {
        guard case .array(let values) = entry.value.content, !values.isEmpty else {
            let why = "must be one or more tables, [[listener]], not \(entry.value.description)"
            return self.complain(at: entry.value.line, "listener", why)
        }
        for row in self.rows(of: values, named: "listener") { self.readListener(row) }
    }

    private mutating func readListener(_ row: Row) {
        self.checkNames(row, among: Listener.keys)
        let service = self.service(row)
        let address = self.address(row)
        let tls = self.tlsMode(row)
        let permitsPlaintextAuth = self.flag(
            row,
            "plaintext-auth",
            "whether passwords may come without TLS"
        )
        let isOptional = self.flag(
            row,
            "optional",
            "whether to start without it when the address is in use"
        )
        let expectsProxyHeader = self.flag(
            row,
            "proxy-protocol",
            "whether connections begin with a PROXY header"
        )
        let networks = self.xclientNetworks(row)
        let permitsXCLIENTLogin = self.flag(
            row,
            "xclient-login",
            "whether XCLIENT may say who has logged in"
        )
        guard let service, let address, let tls else { return }
        var listener = Configuration.Listener(
            service: service,
            address: address,
            tls: tls,
            permitsPlaintextAuth: permitsPlaintextAuth,
            isOptional: isOptional
        )
        listener.expectsProxyHeader = expectsProxyHeader
        listener.xclientNetworks = networks
        listener.permitsXCLIENTLogin = permitsXCLIENTLogin
        self.configuration.listeners.append(listener)
        self.listenerPlaces.append(row)
    }

    private mutating func service(_ row: Row) -> Configuration.Listener.Service? {
        let names = Configuration.Listener.Service.allCases.map(\.rawValue.quoted)
        let expectation = "one of \(names.joined(separator: " "))"
        let path = "\(row.path).service"
        guard let value = row.table["service"]?.value else {
            self.complain(at: row.line, path, "is missing; it must be \(expectation)")
            return nil
        }
        if case .string(let text) = value.content {
            if let service = Configuration.Listener.Service(rawValue: text) { return service }
            if Listener.unbuiltServices.contains(text) {
                let why = "the service \(text.quoted) is not built yet; write \(expectation)"
                self.complain(at: value.line, path, why)
                return nil
            }
        }
        self.complain(at: value.line, path, "must be \(expectation), not \(value.description)")
        return nil
    }

    private mutating func tlsMode(_ row: Row) -> Configuration.Listener.TLSMode? {
        guard let value = row.table["tls"]?.value else { return .off }
        if case .string(let text) = value.content,
            let mode = Configuration.Listener.TLSMode(rawValue: text)
        {
            return mode
        }
        let names = Configuration.Listener.TLSMode.allCases.map(\.rawValue.quoted)
        let why = "must be one of \(names.joined(separator: " ")), not \(value.description)"
        self.complain(at: value.line, "\(row.path).tls", why)
        return nil
    }

    private mutating func xclientNetworks(_ row: Row) -> [Configuration.NetworkPrefix] {
        guard let value = row.table["xclient-networks"]?.value else { return [] }
        let path = "\(row.path).xclient-networks"
        guard case .array(let values) = value.content else {
            let why = "must be an array of networks, such as [\"192.0.2.0/24\"] (peers that may "
            self.complain(at: value.line, path, why + "send XCLIENT), not \(value.description)")
            return []
        }
        return self.networks(values, path)
    }

    private mutating func address(_ row: Row) -> Configuration.Listener.Address? {
        let path = "\(row.path).address"
        let expectation = "\"IPv4:port\", \"[IPv6]:port\" or \"unix:PATH\""
        guard let value = row.table["address"]?.value else {
            self.complain(at: row.line, path, "is missing; it must be \(expectation)")
            return nil
        }
        guard case .string(let text) = value.content else {
            self.complain(at: value.line, path, "must be \(expectation), not \(value.description)")
            return nil
        }
        if text.hasPrefix("unix:") {
            return self.unixAddress(String(text.dropFirst(5)), at: value.line, path)
                .map { .unix(path: $0) }
        }
        guard let address = NetworkAddress(parsing: text) else {
            self.complain(at: value.line, path, "must be \(expectation), not \(text.quoted)")
            return nil
        }
        guard address.port > 0 else {
            let example = NetworkAddress(ipv6: address.high, address.low, port: 2525)
            let why = "\(text.quoted) has no port; write one from 1 to 65535, such as "
            self.complain(at: value.line, path, why + example.description.quoted)
            return nil
        }
        return .ip(address)
    }

    /// A path of a Unix socket that fits; an error for any other.
    mutating func unixAddress(
        _ name: String,
        at line: Int,
        _ path: String
    ) -> String? {
        guard Self.isPath(name) else {
            self.complain(at: line, path, "\"unix:\" must be followed by the path of a socket")
            return nil
        }
        let socket = ConfigurationFile.resolve(name, in: self.directory)
        guard socket.utf8.count <= Listener.pathOctetsMax else {
            let count = socket.utf8.count
            let why = "the path of a Unix socket has \(Listener.pathOctetsMax) octets at most; "
            self.complain(at: line, path, why + "\(socket.quoted) has \(count)")
            return nil
        }
        return socket
    }
}
