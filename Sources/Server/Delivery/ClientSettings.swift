// SPDX-License-Identifier: Apache-2.0
//
// How the hosts of a plan are spoken to: one value of session settings for all that are treated
// alike, and TLS by what each of them has to show.

internal import Delivery
internal import EventLoop
internal import MailBytes
internal import MailSyntax
internal import SASL
internal import SMTPProtocol

/// The settings of outgoing sessions.
final class ClientSettings {
    private struct Kind: Hashable {
        let isLMTP: Bool
        let tls: TLSUse
        let logsIn: Bool

        enum TLSUse {
            case never
            case whenOffered
            case required
        }
    }

    private unowned let owner: any OutgoingOwner
    private var known: [Kind: SMTPClientSettings] = [:]

    init(owner: any OutgoingOwner) { self.owner = owner }

    /// How to speak to a host.
    ///
    /// - Throws: why it cannot be done as it must: its name cannot be verified, or there is no
    ///   password.
    func options(
        for host: RouteHost,
        _ demand: HostDemand,
        _ concession: OutgoingConnection.Concession,
        isLocal: Bool
    ) throws(DestinationFailure) -> SMTPClientDriver.Options {
        let isImplicit = host.transport == .smtps
        let use: Kind.TLSUse =
            switch demand.requirement {
            case _ where isImplicit: .required
            case .none: .never
            // Nobody listens in on a socket of this host.
            case .opportunistic: concession.skipsTLS || isLocal ? .never : .whenOffered
            case .encrypted, .verified, .dane: .required
            }
        let kind = Kind(
            isLMTP: host.transport == .lmtp,
            tls: use,
            logsIn: host.login != nil
        )
        var options = SMTPClientDriver.Options(settings: self.settings(kind))
        options.saysHELO = concession.saysHELO
        options.isTLSImplicit = isImplicit
        options.provesPeer = demand.isNameProven
        options.pace = self.owner.settings.pace
        if use != .never { options.tls = try self.service(for: host, demand) }
        if let login = host.login {
            guard let login = self.owner.settings.login(login) else {
                throw DestinationFailure(
                    .noSession,
                    EnhancedStatus(4, 3, 5),
                    "the password for \(login.name) at \(host.name) cannot be read"
                )
            }
            options.login = login
        }
        return options
    }

    /// How to speak to a peer that has turned its connection round: TLS, if any, was its affair.
    var optionsForOffered: SMTPClientDriver.Options {
        let kind = Kind(isLMTP: false, tls: .never, logsIn: false)
        var options = SMTPClientDriver.Options(settings: self.settings(kind))
        options.pace = self.owner.settings.pace
        return options
    }

    private func settings(_ kind: Kind) -> SMTPClientSettings {
        if let known = self.known[kind] { return known }
        let settings = SMTPClientSettings(
            clientName: self.owner.settings.hostname,
            dialect: kind.isLMTP ? .lmtp : .smtp,
            tls: kind.tls == .never ? .never : kind.tls == .required ? .required : .whenOffered,
            mechanisms: kind.logsIn ? .all : []
        )
        self.known[kind] = settings
        return settings
    }

    private func service(
        for host: RouteHost,
        _ demand: HostDemand
    ) throws(DestinationFailure) -> TLSService {
        do throws(TLSError) {
            return try self.owner.connector.clientService(
                for: demand.requirement,
                serverName: host.isNamed ? host.name : nil
            )
        } catch {
            throw DestinationFailure(
                .insecure,
                EnhancedStatus(4, 7, 5),
                "TLS with \(host.name): \(error)"
            )
        }
    }
}

extension RouteHost {
    /// Whether it has a name, rather than an address or a path.
    fileprivate var isNamed: Bool {
        NetworkAddress(parsing: self.name) == nil && !self.name.hasPrefix("[")
            && !self.name.contains("/") && !self.name.isEmpty
    }
}
