// SPDX-License-Identifier: Apache-2.0
//
// What the process gives up before it serves: root, core dumps, privileges by execution, and most
// of the file system. All of it before there is another thread, because Landlock and the ban on new
// privileges hold for the thread that asks and for those that it starts.

package import Configuration
internal import EventLoop
internal import Logging
internal import MailBytes
package import Privileges
internal import Resolver

/// As whom, and with what, the process does its work.
package enum LeastPrivilege {
    /// Why the process cannot be what the configuration wants.
    package enum Failure: Error {
        case noSuchUser(String)
        case directory(PrivilegeError)
        case refused(PrivilegeError)
    }

    /// Whom the process is to become; nil: it stays who it is.
    package static func user(of configuration: Configuration) throws(Failure) -> ServiceUser? {
        guard let name = configuration.user, Privileges.areRoots else { return nil }
        do throws(PrivilegeError) {
            if let user = try ServiceUser(named: name) { return user }
        } catch {
            throw .refused(error)
        }
        throw .noSuchUser(
            "user: there is no user \(name); make one (adduser --system --group \(name)), or name "
                + "another"
        )
    }

    /// Makes the data directory, and becomes the user of the configuration, who owns it.
    ///
    /// What a command does as root would otherwise leave files that the server cannot open.
    package static func becomeUser(of configuration: Configuration) throws(Failure) {
        guard let user = try self.user(of: configuration) else { return }
        try self.prepareDirectory(of: configuration, for: user)
        try self.become(user)
    }

    /// Becomes the user of the configuration, and changes nothing on the disk.
    package static func lookAsUser(of configuration: Configuration) throws(Failure) {
        if let user = try self.user(of: configuration) { try self.become(user) }
    }

    static func prepareDirectory(
        of configuration: Configuration,
        for user: ServiceUser?
    ) throws(Failure) {
        do throws(PrivilegeError) {
            try OwnDirectory.prepare(configuration.dataDirectory, for: user)
        } catch {
            throw .directory(error)
        }
    }

    static func become(_ user: ServiceUser) throws(Failure) {
        do throws(PrivilegeError) {
            try Privileges.become(user)
        } catch {
            throw .refused(error)
        }
    }

    /// Nobody reads passwords and keys from a core, or from the memory of the process.
    static func forbidCoreDumps(_ logger: Logger) {
        do throws(PrivilegeError) {
            try Privileges.forbidCoreDumps()
        } catch {
            logger.warning("core dumps are not off", metadata: ["why": .string("\(error)")])
        }
    }

    /// Gives up what the system offers to take, and says in the log what is in force.
    static func confine(_ configuration: Configuration, _ logger: Logger) {
        do throws(PrivilegeError) {
            try Privileges.forbidNewOnes()
            guard configuration.confinement == .auto else {
                return logger.notice("not confined: confine = \"off\"")
            }
            guard let report = try self.confinement(of: configuration).enter() else {
                return logger.notice("not confined: this kernel has no Landlock")
            }
            logger.info(
                "confined",
                metadata: [
                    "landlock": .stringConvertible(report.version),
                    "files": "own, certificates, and what names are looked up by",
                    "ports": .string(report.confinesPorts ? "listeners and next hops" : "any"),
                    "signals": .string(report.confinesSignals ? "own" : "any"),
                ]
            )
        } catch {
            logger.warning("not confined", metadata: ["why": .string("\(error)")])
        }
    }

    private static func confinement(of configuration: Configuration) -> Confinement {
        var confinement = Confinement()
        confinement.writable = [configuration.dataDirectory]
        confinement.readable = self.librariesNeeds
        for path in configuration.keyMaterialPaths {
            confinement.readable += FilePlace.directories(of: path)
        }
        for listener in configuration.listeners {
            switch listener.address {
            case .ip(let address): confinement.ports.append(address.port)
            case .unix(let path): confinement.socketDirectories.append(FilePlace.parent(of: path))
            }
        }
        confinement.connectedPorts = configuration.connectedPorts
        for path in configuration.deliveryPaths {
            confinement.readable += FilePlace.directories(of: path)
        }
        return confinement
    }

    /// What the C library and OpenSSL may read after the start: modules, the system's rules for
    /// TLS, and what the allocator asks of the kernel.
    private static let librariesNeeds = [
        "/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ssl/openssl.cnf",
        "/etc/pki/tls/openssl.cnf", "/etc/crypto-policies", "/usr/share/crypto-policies",
        "/dev/urandom", "/dev/null", "/proc/sys/vm/overcommit_memory",
        "/sys/devices/system/cpu/online",
    ]
}

extension Configuration {
    /// The ports of other servers: of mail, of names, and of the policies of MTA-STS.
    fileprivate var connectedPorts: [UInt16] {
        var ports = [UInt16(clamping: self.delivery.smtpPort), 53, 443]
        ports += self.delivery.resolvers.map(\.port)
        for relay in self.relays {
            switch relay.host {
            case .name(_, let port): ports.append(UInt16(clamping: port))
            case .ip(let address): ports.append(address.port)
            case .unix: break
            }
        }
        return ports.filter { $0 != 0 }
    }

    private var relays: [Relay] {
        let routed = self.routes.compactMap { route -> Relay? in
            guard case .relay(let relay) = route.target else { return nil }
            return relay
        }
        return routed + [self.delivery.fallbackRelay].compactMap(\.self)
    }

    /// Files that deliveries read when they need them, and that others may renew.
    fileprivate var deliveryPaths: [String] {
        var paths = self.relays.compactMap(\.credentials?.passwordPath)
        let resolver = self.resolverSettings
        if case .system(let file) = resolver.servers { paths.append(file) }
        switch resolver.trustAnchors {
        case .none: break
        case .whenPossible(let file), .always(let file): paths.append(file)
        }
        if let path = self.delivery.authoritiesPath ?? TLSAuthorities.systemPath {
            paths.append(path)
        }
        return paths
    }

    /// The files of certificates and keys, which are read again when they change.
    var keyMaterialPaths: [String] {
        self.tls.certificates.flatMap { [$0.chainPath, $0.keyPath] }
            + [self.tls.clientAuthoritiesPath].compactMap(\.self)
            + self.auth.tokenIssuers.map(\.keysPath)
    }
}
