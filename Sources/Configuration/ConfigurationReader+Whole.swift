// SPDX-License-Identifier: Apache-2.0
//
// What keys demand of each other, once each has been read by itself.

internal import MailBytes
internal import MailSyntax

extension ConfigurationReader {
    /// Checks the configuration as a whole.
    mutating func checkWhole() {
        self.checkIsLocal(self.configuration.postmaster, "postmaster")
        self.checkIsLocal(self.configuration.catchAll, "catch-all")
        self.checkControlSocket()
        self.checkCertificates()
        self.checkMechanisms()
        for index in self.configuration.listeners.indices { self.checkListener(index) }
        self.checkDelivery()
    }

    private mutating func checkIsLocal(_ address: Address?, _ key: String) {
        guard let address, self.lines["local-domains"] != nil else { return }
        let domain = String(decoding: address.domain, as: UTF8.self)
        guard !self.configuration.localDomains.contains(domain) else { return }
        let why = "\(address.text.quoted) is in no local domain; write an address of one of "
        self.complain(
            at: self.lines[key] ?? 0,
            key,
            why + self.configuration.localDomains.map(\.quoted).joined(separator: " ")
        )
    }

    /// The control socket lies in the data directory and must have a path that fits.
    private mutating func checkControlSocket() {
        let directory = self.configuration.dataDirectory
        let count = directory.utf8.count + "/control.sock".utf8.count
        guard count > Listener.pathOctetsMax else { return }
        let most = Listener.pathOctetsMax - "/control.sock".utf8.count
        self.complain(
            at: self.lines["data-directory"] ?? 0,
            "data-directory",
            "\(directory.quoted) has \(directory.utf8.count) octets; \(most) at most leave room "
                + "for the path of the control socket in it"
        )
    }

    private mutating func checkListener(_ index: Int) {
        let listener = self.configuration.listeners[index]
        let row = self.listenerPlaces[index]
        let (path, line) = (row.path, row.line(of: "address"))
        if listener.service == .lmtp, case .ip(let address) = listener.address, address.port == 25 {
            let why = "LMTP must not be spoken on port 25 (RFC 2033, section 5); 24 is its own"
            self.complain(at: line, "\(path).address", why)
        }
        self.checkLogins(listener, at: row)
        self.checkProxies(listener, at: row)
        if case .unix(let socket) = listener.address,
            socket == "\(self.configuration.dataDirectory)/control.sock"
        {
            self.complain(at: line, "\(path).address", "this is the server's own control socket")
        }
        for earlier in 0..<index {
            let other = self.configuration.listeners[earlier].address
            guard Self.collide(listener.address, other) else { continue }
            let place = self.listenerPlaces[earlier]
            let why =
                "\(listener.address) is taken by \(place.path) on line \(place.line(of: "address"))"
            return self.complain(at: line, "\(path).address", why)
        }
    }

    /// Whether two sockets cannot listen at the same time; 0.0.0.0 and [::] take the port of every
    /// address of their family.
    private static func collide(
        _ first: Configuration.Listener.Address,
        _ second: Configuration.Listener.Address
    ) -> Bool {
        guard case .ip(let first) = first, case .ip(let second) = second else {
            return first == second
        }
        guard first.port == second.port, first.family == second.family else { return false }
        return first == second || first.isUnspecified || second.isUnspecified
    }
}

extension NetworkAddress {
    /// Whether this is 0.0.0.0 or [::].
    var isUnspecified: Bool {
        switch self.family {
        case .ipv4: UInt32(truncatingIfNeeded: self.low) == 0
        case .ipv6: self.high == 0 && self.low == 0
        case .unix: false
        }
    }
}
