// SPDX-License-Identifier: Apache-2.0
//
// From the configuration of a listener to the settings of its sessions.

internal import Configuration
internal import POP3Protocol
internal import SASL
internal import SMTPProtocol

extension Configuration {
    /// What a listener offers; its certificates are read when the process is who it is to be.
    func profile(of listener: Listener) -> ServiceProfile {
        let networks = listener.xclientNetworks
        return ServiceProfile(
            service: ServiceProfile.Service(listener.service),
            smtp: self.smtpSettings(of: listener),
            pop3: self.pop3Settings(of: listener),
            isTLSImplicit: listener.tls == .implicit,
            expectsPROXYHeader: listener.expectsProxyHeader,
            alwaysOffersSCRAM: self.auth.scram == .always,
            checksSender: self.submission.checksSender,
            mayXCLIENT: { peer in networks.contains { $0.contains(peer) } }
        )
    }

    private func smtpSettings(of listener: Listener) -> SMTPServerSettings {
        let isSubmission = listener.service == .submission
        return SMTPServerSettings(
            hostname: Array(self.hostname.utf8),
            dialect: listener.service == .lmtp ? .lmtp : .smtp,
            lineEndings: self.smtp.normalisesBareNewlines ? .normalise : .refuse,
            messageOctetsMax: self.limits.messageOctets,
            recipientsMax: self.limits.recipientsPerTransaction,
            transactionsMax: self.limits.transactionsPerSession,
            commandOctetsMax: self.limits.commandLineOctets,
            errorsMax: self.limits.errorsPerSession,
            commandsMax: self.limits.commandsPerSession,
            loginFailuresMax: self.limits.loginFailuresPerSession,
            receivedFieldsMax: self.limits.receivedFields,
            answersVRFY: self.smtp.answersVRFY,
            answersEXPN: self.smtp.answersEXPN,
            acceptsSOML: self.smtp.acceptsSOML,
            offersSTARTTLS: listener.tls == .starttls,
            mechanisms: self.mechanismSet(of: listener),
            permitsPlaintextAuth: listener.permitsPlaintextAuth,
            requiresAuthentication: isSubmission || listener.service == .odmr,
            purpose: listener.purpose,
            offersETRN: self.smtp.offersETRN,
            checksAuthors: isSubmission && self.submission.checksAuthor,
            addsMissingFields: isSubmission && self.submission.addsMissingFields,
            hidesClientAddress: isSubmission && self.submission.hidesClientAddress,
            acceptsXCLIENTLogin: listener.permitsXCLIENTLogin
        )
    }

    private func pop3Settings(of listener: Listener) -> POP3ServerSettings {
        POP3ServerSettings(
            hostname: Array(self.hostname.utf8),
            offersAPOP: self.pop3.offersAPOP,
            mechanisms: self.mechanismSet(of: listener),
            offersSTLS: listener.tls == .starttls,
            permitsPlaintext: listener.permitsPlaintextAuth,
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

    private func mechanismSet(of listener: Listener) -> SASLMechanismSet {
        var set: SASLMechanismSet = []
        for mechanism in self.mechanisms(of: listener) {
            if let known = SASLMechanism(name: Array(mechanism.rawValue.utf8).span) {
                set.insert(SASLMechanismSet(known))
            }
        }
        return set
    }
}

extension Configuration.Listener {
    fileprivate var purpose: SMTPServerSettings.Purpose {
        switch self.service {
        case .submission: .submission
        case .odmr: .fetching
        case .smtp, .lmtp, .pop3: .relaying
        }
    }
}

extension ServiceProfile.Service {
    fileprivate init(_ service: Configuration.Listener.Service) {
        switch service {
        case .smtp: self = .smtp
        case .submission: self = .submission
        case .lmtp: self = .lmtp
        case .pop3: self = .pop3
        case .odmr: self = .odmr
        }
    }
}
