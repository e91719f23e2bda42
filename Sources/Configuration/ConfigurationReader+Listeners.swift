// SPDX-License-Identifier: Apache-2.0
//
// Reads the [[listener]] tables.

internal import MailBytes

extension ConfigurationReader {
    /// The keys of a [[listener]] table.
    enum Listener {
        static let keys = ["service", "address", "tls", "plaintext-auth", "optional"]
        /// Values that the file will take one day.
        static let unbuiltServices = ["submission", "admin"]
        static let unbuiltTLS = ["starttls", "implicit"]
        /// The longest path of a Unix socket; its NUL is the 108th octet (unix(7)).
        static let pathOctetsMax = 107
    }

    /// Reads all listeners; those with errors are left out.
    mutating func readListeners(_ entry: TOMLTable.Entry) {
        guard case .array(let values) = entry.value.content, !values.isEmpty else {
            let why = "must be one or more tables, [[listener]], not \(entry.value.description)"
            return self.complain(at: entry.value.line, "listener", why)
        }
        for (index, value) in values.enumerated() {
            let path = "listener[\(index)]"
            guard case .table(let table) = value.content else {
                self.complain(
                    at: value.line,
                    path,
                    "must be a table, [[listener]], not \(value.description)"
                )
                continue
            }
            self.readListener(table, at: value.line, path)
        }
    }

    private mutating func readListener(_ table: TOMLTable, at line: Int, _ path: String) {
        for entry in table.entries where !Listener.keys.contains(entry.name) {
            let why =
                Self.homeOutsideListeners(of: entry.name).map { "is unknown here; \($0)" }
                ?? "is unknown; \(Self.cure(for: entry.name, among: Listener.keys))"
            self.complain(at: entry.line, "\(path).\(entry.name.asKey)", why)
        }
        let service = self.service(table, at: line, path)
        let address = self.address(table, at: line, path)
        self.checkTLS(table, path)
        let permitsPlaintextAuth = self.flag(
            table,
            path,
            "plaintext-auth",
            "whether passwords may come without TLS"
        )
        let isOptional = self.flag(
            table,
            path,
            "optional",
            "whether to start without it when the address is in use"
        )
        guard let service, let address else { return }
        self.configuration.listeners.append(
            Configuration.Listener(
                service: service,
                address: address,
                permitsPlaintextAuth: permitsPlaintextAuth,
                isOptional: isOptional
            )
        )
        self.listenerPlaces.append((path, table["address"]?.value.line ?? line))
    }

    private mutating func service(
        _ table: TOMLTable,
        at line: Int,
        _ path: String
    ) -> Configuration.Listener.Service? {
        let names = Configuration.Listener.Service.allCases.map(\.rawValue.quoted)
        let expectation = "one of \(names.joined(separator: " "))"
        guard let value = table["service"]?.value else {
            self.complain(at: line, "\(path).service", "is missing; it must be \(expectation)")
            return nil
        }
        if case .string(let text) = value.content {
            if let service = Configuration.Listener.Service(rawValue: text) { return service }
            if Listener.unbuiltServices.contains(text) {
                let why = "the service \(text.quoted) is not built yet; write \(expectation)"
                self.complain(at: value.line, "\(path).service", why)
                return nil
            }
        }
        let why = "must be \(expectation), not \(value.description)"
        self.complain(at: value.line, "\(path).service", why)
        return nil
    }

    private mutating func address(
        _ table: TOMLTable,
        at line: Int,
        _ path: String
    ) -> Configuration.Listener.Address? {
        let path = "\(path).address"
        let expectation = "\"IPv4:port\", \"[IPv6]:port\" or \"unix:PATH\""
        guard let value = table["address"]?.value else {
            self.complain(at: line, path, "is missing; it must be \(expectation)")
            return nil
        }
        guard case .string(let text) = value.content else {
            self.complain(at: value.line, path, "must be \(expectation), not \(value.description)")
            return nil
        }
        if text.hasPrefix("unix:") {
            return self.unixAddress(String(text.dropFirst(5)), at: value.line, path)
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

    private mutating func unixAddress(
        _ name: String,
        at line: Int,
        _ path: String
    ) -> Configuration.Listener.Address? {
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
        return .unix(path: socket)
    }

    private mutating func checkTLS(_ table: TOMLTable, _ path: String) {
        guard let value = table["tls"]?.value, value.content != .string("off") else { return }
        if case .string(let text) = value.content, Listener.unbuiltTLS.contains(text) {
            let why = "\(text.quoted) is not built yet; write \"off\" or leave it out"
            return self.complain(at: value.line, "\(path).tls", why)
        }
        self.complain(at: value.line, "\(path).tls", "must be \"off\", not \(value.description)")
    }

    /// A key that is true or false, and false when it is left out.
    private mutating func flag(
        _ table: TOMLTable,
        _ path: String,
        _ key: String,
        _ meaning: String
    ) -> Bool {
        guard let value = table[key]?.value else { return false }
        if case .boolean(let flag) = value.content { return flag }
        let why = "must be true or false (\(meaning)), not \(value.description)"
        self.complain(at: value.line, "\(path).\(key)", why)
        return false
    }
}
