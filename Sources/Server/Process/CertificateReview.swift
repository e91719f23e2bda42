// SPDX-License-Identifier: Apache-2.0
//
// What an operator should hear of certificates and keys: from `check`, at the start, and in the log
// of a server that runs for months.

package import Configuration
internal import EventLoop
internal import MailSyntax

/// What is wrong with certificates and keys, as the user that the process is can see it.
package struct CertificateReview {
    /// Without these there is no TLS.
    package private(set) var errors: [String] = []
    /// These will be heard from clients.
    package private(set) var warnings: [String] = []

    /// Days before the end of a certificate from which it is time to renew it.
    private static let renewalDays: Int64 = 14

    /// Reads every file; `now` is in seconds since 1970.
    package init(_ configuration: Configuration, now: Int64) {
        var isForHost = false
        for (index, certificate) in configuration.tls.certificates.enumerated() {
            let key = index == 0 ? "tls" : "tls.additional[\(index - 1)]"
            do throws(TLSError) {
                let facts = try TLSCertificateFacts(
                    path: certificate.chainPath,
                    keyPath: certificate.keyPath
                )
                if facts.keyFits == false {
                    let why = "\(certificate.keyPath) is not the key of \(certificate.chainPath)"
                    self.errors.append("\(key).private-key: \(why)")
                }
                isForHost = isForHost || facts.isFor(configuration.hostname)
                self.reviewTime(facts, of: certificate.chainPath, key, now)
            } catch {
                self.errors.append("\(key): \(error)\(Self.cure(configuration))")
            }
        }
        let hasCertificates = !configuration.tls.certificates.isEmpty
        if hasCertificates, !isForHost, self.errors.isEmpty {
            self.warnings.append(
                "tls.certificate: no certificate is for the hostname \(configuration.hostname)"
            )
        }
        if hasCertificates, self.errors.isEmpty {
            do throws(TLSError) {
                _ = try TLSService(configuration.tlsOptions(protocols: [], ticketKeys: nil))
            } catch {
                self.errors.append("tls: \(error)\(Self.cure(configuration))")
            }
        }
        for (index, issuer) in configuration.auth.tokenIssuers.enumerated()
        where !Terminal.isReadableFile(issuer.keysPath) {
            let why = "\(issuer.keysPath) cannot be read"
            self.errors.append(
                "auth.token-issuer[\(index)].keys: \(why)\(Self.cure(configuration))"
            )
        }
    }

    private mutating func reviewTime(
        _ facts: TLSCertificateFacts,
        of path: String,
        _ key: String,
        _ now: Int64
    ) {
        let (notBefore, notAfter) = (Int64(facts.notBefore), Int64(facts.notAfter))
        let key = "\(key).certificate: \(path)"
        if notAfter < now {
            self.warnings.append("\(key) has expired on \(Self.date(notAfter)); renew it")
        } else if notAfter < now + Self.renewalDays * 86_400 {
            self.warnings.append("\(key) expires on \(Self.date(notAfter)); renew it")
        }
        if notBefore > now {
            self.warnings.append("\(key) is not valid before \(Self.date(notBefore))")
        }
    }

    private static func date(_ seconds: Int64) -> String {
        String(MailDate.iso8601(secondsSince1970: seconds, milliseconds: 0).prefix(10))
    }

    private static func cure(_ configuration: Configuration) -> String {
        let who = configuration.user.map { "the user \($0)" } ?? "the user of the server"
        return "; it must be there and readable by \(who)"
    }
}

extension Configuration {
    func tlsOptions(protocols: [String], ticketKeys: TicketKeys?) -> TLSOptions {
        var options = TLSOptions(
            certificates: self.tls.certificates.map { ($0.chainPath, $0.keyPath) }
        )
        options.clientAuthoritiesPath = self.tls.clientAuthoritiesPath
        options.minimumVersion =
            switch self.tls.minimumVersion {
            case .tls12: .tls12
            case .tls13: .tls13
            }
        options.applicationProtocols = protocols
        options.ticketKeys = ticketKeys
        return options
    }
}
