// SPDX-License-Identifier: Apache-2.0
//
// From the configuration to the settings of sessions, drivers and the store.

package import Configuration
internal import EventLoop
internal import MailBytes
package import MailStore
internal import MailSyntax
internal import POP3Protocol
internal import SMTPProtocol

extension Configuration {
    /// Where the command line reaches the running server.
    package var controlSocketPath: String { "\(self.dataDirectory)/control.sock" }

    package var storeOptions: MailStore.Options {
        var options = MailStore.Options()
        options.reserveOctets = self.store.reserveOctets
        return options
    }

    /// Where mail for postmaster goes when nobody said otherwise.
    var postmasterAddress: Address? {
        self.postmaster ?? Address(parsing: "postmaster@\(self.localDomains.first ?? "localhost")")
    }

    func addressSettings(postmaster: Address) -> AddressSettings {
        let exempt = self.limits.exemptNetworks
        return AddressSettings(
            localDomains: self.localDomains,
            policy: AddressPolicy(
                delimiter: self.subaddressDelimiter,
                catchAll: self.catchAll,
                postmaster: postmaster
            ),
            isExempt: { peer in exempt.contains { $0.contains(peer) } }
        )
    }

    var serverLimits: ServerLimits {
        var limits = ServerLimits()
        limits.connections = self.limits.connections
        limits.connectionsPerClient = self.limits.connectionsPerClient
        limits.idleSeconds = Double(self.limits.idleSeconds)
        limits.pop3IdleSeconds = Double(self.limits.pop3IdleSeconds)
        limits.transactionSeconds = Double(self.limits.transactionSeconds)
        limits.contentOctetsPerSecondMin = self.limits.contentOctetsPerSecondMin
        limits.outputBacklogOctets = self.limits.outputBacklogOctets
        limits.contentMemoryOctets = self.limits.contentMemoryOctets
        limits.stepsPerTurn = self.limits.stepsPerTurn
        limits.deliveriesPerTransaction = self.limits.deliveriesPerTransaction
        limits.addressCacheEntries = self.limits.addressCacheEntries
        limits.credentialCacheEntries = self.limits.credentialCacheEntries
        limits.loginFailureSeconds = Double(self.limits.loginFailureMilliseconds) / 1000
        limits.loginDelaySeconds = self.pop3.loginDelaySeconds.map(Double.init)
        limits.shutdownGraceSeconds = Double(self.limits.shutdownGraceSeconds)
        return limits
    }

    private func smtpSettings(_ dialect: SMTPServerSettings.Dialect) -> SMTPServerSettings {
        SMTPServerSettings(
            hostname: Array(self.hostname.utf8),
            dialect: dialect,
            lineEndings: self.smtp.normalisesBareNewlines ? .normalise : .refuse,
            messageOctetsMax: self.limits.messageOctets,
            recipientsMax: self.limits.recipientsPerTransaction,
            transactionsMax: self.limits.transactionsPerSession,
            commandOctetsMax: self.limits.commandLineOctets,
            errorsMax: self.limits.errorsPerSession,
            commandsMax: self.limits.commandsPerSession,
            receivedFieldsMax: self.limits.receivedFields,
            answersVRFY: self.smtp.answersVRFY,
            answersEXPN: self.smtp.answersEXPN,
            acceptsSOML: self.smtp.acceptsSOML
        )
    }

    private func pop3Settings(permitsPlaintext: Bool) -> POP3ServerSettings {
        POP3ServerSettings(
            hostname: Array(self.hostname.utf8),
            offersAPOP: self.pop3.offersAPOP,
            permitsPlaintext: permitsPlaintext,
            expiry: self.pop3.expireDays.map { .days($0) } ?? .never,
            loginDelaySeconds: self.pop3.loginDelaySeconds,
            preferredLanguage: POP3Language.allCases.first { "\($0.tag)" == self.pop3.language }
                ?? .english,
            commandOctetsMax: self.limits.commandLineOctets,
            errorsMax: self.limits.errorsPerSession,
            loginFailuresMax: self.limits.loginFailuresPerSession,
            commandsMax: self.limits.commandsPerSession
        )
    }

    func profile(of listener: Listener) -> ServiceProfile {
        let pop3 = self.pop3Settings(permitsPlaintext: listener.permitsPlaintextAuth)
        return switch listener.service {
        case .smtp, .submission:
            ServiceProfile(service: .smtp, smtp: self.smtpSettings(.smtp), pop3: pop3)
        case .lmtp: ServiceProfile(service: .lmtp, smtp: self.smtpSettings(.lmtp), pop3: pop3)
        case .pop3: ServiceProfile(service: .pop3, smtp: self.smtpSettings(.smtp), pop3: pop3)
        }
    }
}

extension Configuration.Listener.Address {
    var listenAddress: ListenAddress {
        switch self {
        case .ip(let address): .ip(address)
        case .unix(let path): .unix(path: path)
        }
    }
}
