// SPDX-License-Identifier: Apache-2.0
//
// What TLS, logins and listeners demand of each other.

extension ConfigurationReader {
    mutating func checkCertificates() {
        let tls = self.configuration.tls
        // A path that was complained about is there, though it could not be taken.
        guard !self.errors.contains(where: { $0.key.hasPrefix("tls.") }) else { return }
        switch (tls.certificatePath, tls.privateKeyPath) {
        case (.some, nil):
            let why = "needs private-key, the PEM key of the certificate"
            self.complain(at: self.lines["tls.certificate"] ?? 0, "tls.certificate", why)
        case (nil, .some):
            let why = "needs certificate, the PEM chain that the key belongs to"
            self.complain(at: self.lines["tls.private-key"] ?? 0, "tls.private-key", why)
        case (nil, nil):
            let why = "needs certificate and private-key of [tls] before it"
            guard !tls.additional.isEmpty else { break }
            self.complain(at: self.lines["tls.additional"] ?? 0, "tls.additional", why)
        case (.some, .some): return
        }
        for (listener, row) in zip(self.configuration.listeners, self.listenerPlaces)
        where listener.tls != .off {
            self.complain(
                at: row.line(of: "tls"),
                "\(row.path).tls",
                "\(listener.tls.rawValue.quoted) needs a certificate; write [tls] with certificate "
                    + "and private-key, or tls = \"off\""
            )
        }
    }

    /// Mechanisms that are asked for by name can work.
    mutating func checkMechanisms() {
        let auth = self.configuration.auth
        guard let mechanisms = auth.mechanisms else { return }
        for mechanism in mechanisms {
            guard let why = self.hindrance(of: mechanism) else { continue }
            let line = self.lines["auth.mechanisms"] ?? 0
            self.complain(at: line, "auth.mechanisms", "\(mechanism.rawValue.quoted) \(why)")
        }
        if auth.scram == .always, !mechanisms.contains(where: \.isSCRAM) {
            let why = "\"always\" contradicts mechanisms, which names none of SCRAM"
            self.complain(at: self.lines["auth.scram"] ?? 0, "auth.scram", why)
        }
        if !auth.tokenIssuers.isEmpty, !mechanisms.contains(where: \.takesToken) {
            self.complain(
                at: self.lines["auth.token-issuer"] ?? 0,
                "auth.token-issuer",
                "has no use: mechanisms names neither \"OAUTHBEARER\" nor \"XOAUTH2\""
            )
        }
    }

    private func hindrance(of mechanism: Configuration.Mechanism) -> String? {
        let hasTLS = self.configuration.listeners.contains { $0.tls != .off }
        // An issuer with errors of its own was left out.
        let hasIssuer =
            !self.configuration.auth.tokenIssuers.isEmpty
            || self.errors.contains { $0.key.hasPrefix("auth.token-issuer") }
        switch mechanism {
        case .scramSHA256Plus, .scramSHA256, .scramSHA1:
            if self.configuration.auth.scram == .never {
                return "contradicts scram = \"never\"; take one of the two out"
            }
            return mechanism == .scramSHA256Plus && !hasTLS
                ? "is bound to TLS, and no listener has it" : nil
        case .external:
            if self.configuration.tls.clientAuthoritiesPath == nil {
                return "needs client certificates; name client-authorities in [tls]"
            }
            return hasTLS ? nil : "needs TLS, and no listener has it"
        case .oauthBearer, .xoauth2:
            return hasIssuer ? nil : "needs tokens; write [[auth.token-issuer]]"
        case .cramMD5, .plain, .login: return nil
        }
    }

    // MARK: - Listeners

    mutating func checkLogins(_ listener: Configuration.Listener, at row: Row) {
        let key = "\(row.path).plaintext-auth"
        let line = row.line(of: "plaintext-auth")
        if listener.permitsPlaintextAuth {
            if !listener.service.hasLogins {
                let why = "has no use: nobody logs in on \(listener.service.rawValue.quoted)"
                let cure = "\"submission\", \"pop3\" and \"odmr\" take it"
                return self.complain(at: line, key, "\(why); \(cure)")
            }
            if listener.tls == .implicit {
                let why = "has no use with tls = \"implicit\": nothing comes without TLS"
                return self.complain(at: line, key, why)
            }
            if !listener.address.isLoopback, !self.configuration.allowsPlaintextAuthAnywhere {
                self.complain(
                    at: line,
                    key,
                    "passwords would cross the network in clear on \(listener.address); use a "
                        + "loopback address, or write allow-plaintext-auth-anywhere = true at the "
                        + "top"
                )
            }
        }
        self.checkUsability(listener, at: row)
    }

    /// Somebody must be able to log in.
    private mutating func checkUsability(_ listener: Configuration.Listener, at row: Row) {
        // Mechanisms that were complained about may be what is missing.
        guard listener.service.hasLogins,
            self.configuration.mechanisms(of: listener).isEmpty,
            !self.errors.contains(where: { $0.key.hasPrefix("auth.") })
        else { return }
        let isPOP3 = listener.service == .pop3
        // USER and PASS, and APOP, are no mechanisms.
        let hasOwnLogin =
            self.configuration.pop3.offersAPOP || listener.tls != .off
            || listener.permitsPlaintextAuth
        if isPOP3 && hasOwnLogin { return }
        self.complain(
            at: row.line,
            row.path,
            "nobody can log in: no mechanism of [auth] works here; "
                + (listener.tls == .off
                    ? "write tls = \"starttls\", or on loopback plaintext-auth = true"
                    : "name another in mechanisms, such as \"PLAIN\"")
        )
    }

    mutating func checkProxies(_ listener: Configuration.Listener, at row: Row) {
        let isUnix = if case .unix = listener.address { true } else { false }
        if listener.expectsProxyHeader {
            let (key, line) = ("\(row.path).proxy-protocol", row.line(of: "proxy-protocol"))
            if isUnix {
                self.complain(at: line, key, "cannot work on a Unix socket: no network is its peer")
            } else if self.configuration.trustedProxies.isEmpty,
                !self.errors.contains(where: { $0.key.hasPrefix("trusted-proxies") })
            {
                let why = "nobody could connect; name the networks of the proxies in "
                self.complain(at: line, key, why + "trusted-proxies at the top")
            }
        }
        if !listener.xclientNetworks.isEmpty {
            let (key, line) = ("\(row.path).xclient-networks", row.line(of: "xclient-networks"))
            if listener.service == .lmtp {
                let why = "LMTP has no XCLIENT; \"smtp\", \"submission\" and \"pop3\" have it"
                self.complain(at: line, key, why)
            } else if isUnix {
                self.complain(at: line, key, "cannot work on a Unix socket: no network is its peer")
            }
        } else if listener.permitsXCLIENTLogin,
            !self.errors.contains(where: { $0.key.hasPrefix("\(row.path).xclient-networks") })
        {
            let why = "has no use without xclient-networks, the peers that may send XCLIENT"
            self.complain(at: row.line(of: "xclient-login"), "\(row.path).xclient-login", why)
        }
    }
}
