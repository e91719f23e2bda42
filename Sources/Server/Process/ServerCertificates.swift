// SPDX-License-Identifier: Apache-2.0
//
// The certificates that a serving process has in use: read at the start, and again when their files
// change or SIGHUP asks for it. What cannot be used is said, and the old ones stay.

internal import Configuration
internal import EventLoop
internal import Logging
internal import Privileges

/// The certificates and keys of one process.
final class ServerCertificates {
    private let configuration: Configuration
    private let logger: Logger
    private let ticketKeys: TicketKeys
    /// One set for each application protocol: a client that asks for POP3 gets no SMTP.
    private var mail: TLSService
    private var pop3: TLSService
    /// How the files were when they were read last.
    private var stamps: [FileStamp?]
    /// How they were when they were looked at last.
    private var seen: [FileStamp?]
    /// When it was last said what clients will not like.
    private var reviewed = WallClock.seconds

    /// How often the files are looked at.
    ///
    /// They are read once they have stayed the same for as long, because a certificate and its key
    /// are written one after the other.
    static let watchSeconds: Double = 3
    /// An end that comes nearer is said once a day.
    private static let reminderSeconds: Int64 = 86_400

    /// Nil when the configuration names no certificate.
    init?(_ configuration: Configuration, _ logger: Logger) throws(TLSError) {
        guard !configuration.tls.certificates.isEmpty else { return nil }
        self.configuration = configuration
        self.logger = logger
        self.ticketKeys = try TicketKeys(
            path: "\(configuration.dataDirectory)/ticket-keys",
            hours: Double(configuration.tls.ticketKeyHours)
        )
        self.stamps = configuration.keyMaterialPaths.map(FileStamp.init(of:))
        self.seen = self.stamps
        (self.mail, self.pop3) = try Self.read(configuration, self.ticketKeys)
    }

    func service(for service: Configuration.Listener.Service) -> TLSService {
        switch service {
        case .smtp, .submission, .lmtp, .odmr: self.mail
        case .pop3: self.pop3
        }
    }

    /// Looks at the files, and reads them when they have changed; true when others are in use now.
    func look() -> Bool {
        let stamps = self.configuration.keyMaterialPaths.map(FileStamp.init(of:))
        defer { self.seen = stamps }
        if stamps != self.stamps, stamps == self.seen { return self.readAgain() }
        if WallClock.seconds - self.reviewed >= Self.reminderSeconds {
            self.reviewed = WallClock.seconds
            let review = CertificateReview(self.configuration, now: self.reviewed)
            Self.log(review, self.logger)
        }
        return false
    }

    /// Reads the files; true when others are in use now.
    func readAgain() -> Bool {
        self.stamps = self.configuration.keyMaterialPaths.map(FileStamp.init(of:))
        let review = CertificateReview(self.configuration, now: WallClock.seconds)
        self.reviewed = WallClock.seconds
        Self.log(review, self.logger)
        do throws(TLSError) {
            guard review.errors.isEmpty else { return false }
            (self.mail, self.pop3) = try Self.read(self.configuration, self.ticketKeys)
            self.logger.info("certificates read")
            return true
        } catch {
            self.logger.warning(
                "the certificates in use stay",
                metadata: ["why": .string("\(error)")]
            )
            return false
        }
    }

    private static func read(
        _ configuration: Configuration,
        _ ticketKeys: TicketKeys
    ) throws(TLSError) -> (mail: TLSService, pop3: TLSService) {
        let mail = configuration.tlsOptions(protocols: ["smtp", "lmtp"], ticketKeys: ticketKeys)
        let pop3 = configuration.tlsOptions(protocols: ["pop3"], ticketKeys: ticketKeys)
        return (try TLSService(mail), try TLSService(pop3))
    }

    static func log(_ review: CertificateReview, _ logger: Logger) {
        for why in review.errors {
            logger.warning("the certificates in use stay", metadata: ["why": .string(why)])
        }
        for why in review.warnings {
            logger.warning("certificate", metadata: ["why": .string(why)])
        }
    }
}
