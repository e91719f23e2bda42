// SPDX-License-Identifier: Apache-2.0
//
// Express delivery: a message goes straight to the servers of its recipients, while one waits.

internal import ArgumentParser
internal import Configuration
internal import Delivery
internal import EventLoop
internal import MailSyntax
internal import Resolver
internal import SMTPProtocol
internal import Server

struct Send: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Send a message straight to the servers of its recipients.",
        discussion: """
            Looks up which hosts take each recipient's mail, connects to them, speaks TLS when \
            they do, and tries the next one when one does not take the message. What the message \
            lacks is added: Date, Message-ID, From. Works without a configuration, too. With \
            --queue the server of the configuration gets the message, and delivers it in its own \
            time.

            Exit codes: 0 when every recipient's server has the message, 64 for bad arguments, 65 \
            for a message that cannot be sent, 66 when it cannot be read, 67 when there is no \
            such mailbox, 68 no such domain or host, 69 for other refusals, 75 when it may work \
            later.

            Called as sendmail, its arguments are those of sendmail, and --queue is the default.
            """
    )

    @Argument(help: "The file with the message; - or nothing for standard input.")
    var file = "-"
    @Option(
        name: [.customLong("to")],
        help: ArgumentHelp("A recipient; may be repeated.", valueName: "address")
    )
    var recipients: [String] = []
    @Flag(
        name: [.customShort("t"), .customLong("read-recipients")],
        help: "Take recipients from To, Cc and Bcc, too; Bcc is removed."
    )
    var readsRecipients = false
    @Option(
        name: [.customShort("f"), .customLong("from")],
        help: ArgumentHelp(
            "Who gets reports of failures; <> for nobody. (default: the author in From, else you)",
            valueName: "address"
        )
    )
    var sender: String?
    @Option(
        name: [.customShort("F"), .customLong("full-name")],
        help: ArgumentHelp("Your name, for a From that is missing.", valueName: "name")
    )
    var fullName: String?
    @Flag(
        name: [.customShort("i"), .customLong("ignore-dots")],
        help: "A line of a single dot is text; it always is, but for sendmail's sake."
    )
    var ignoresDots = false
    @Flag(name: .customLong("dot-ends"), help: .hidden) var dotEnds = false
    @Flag(name: [.customShort("v"), .customLong("verbose")], help: "Show each command and reply.")
    var isVerbose = false
    @Flag(help: "Give the message to the running server, which queues it.") var queue = false
    @Option(
        name: .customLong("server"),
        help: ArgumentHelp(
            "A name server to ask, in place of the configured ones; may be repeated.",
            valueName: "address[@port]"
        )
    )
    var servers: [String] = []
    @Option(help: ArgumentHelp("The port of the hosts found by MX.", valueName: "port"))
    var smtpPort: UInt16?
    @OptionGroup var configuration: ConfigurationOption

    func validate() throws {
        for server in self.servers where ResolverSettings.server(server) == nil {
            throw ValidationError("--server takes an address, or address@port, not \(server)")
        }
        guard self.readsRecipients || !self.recipients.isEmpty else {
            throw ValidationError("name recipients by --to, or take them from the message by -t")
        }
    }

    func run() throws {
        try Complaint.handling {
            let configuration = try self.settings()
            let message = try self.message(configuration)
            var resolver = configuration.resolverSettings
            if !self.servers.isEmpty {
                resolver.servers = .addresses(self.servers.compactMap(ResolverSettings.server))
            }
            let results: [ExpressResult]
            do throws(ExpressProcess.Failure) {
                results = try ExpressProcess.send(
                    message,
                    self.queue ? .ownServer : .direct,
                    configuration: configuration,
                    resolver: resolver,
                    watch: self.show
                )
            } catch {
                throw Complaint(error.isConfiguration ? .configuration : .software, error.text)
            }
            try self.conclude(message, results)
        }
    }

    private func settings() throws -> Configuration {
        var configuration = try self.configuration.loadIfThere() ?? Configuration()
        if self.queue, configuration.path.isEmpty {
            throw Complaint(.configuration, "--queue needs the configuration of a server")
        }
        if configuration.hostname.isEmpty { configuration.hostname = SystemNames.host }
        if let smtpPort { configuration.delivery.smtpPort = Int(smtpPort) }
        return configuration
    }

    // MARK: - The message

    private func message(_ configuration: Configuration) throws -> ExpressMessage {
        guard let octets = Terminal.readFile(self.file) else {
            throw Complaint(.noInput, "\(self.file) cannot be read")
        }
        var draft = MessageDraft(octets, dotEnds: self.dotEnds)
        guard !draft.isEmpty else { throw Complaint(.data, "the message is empty") }
        let domain = configuration.localDomains.first ?? configuration.hostname
        let recipients = try self.recipients(of: draft, domain)
        let reversePath = try self.reversePath(of: draft, domain)
        if self.readsRecipients {
            draft.remove("bcc")
            draft.remove("resent-bcc")
        }
        draft.remove("return-path")
        let user =
            reversePath.isEmpty
            ? "\(SystemNames.user)@\(domain)" : String(decoding: reversePath, as: UTF8.self)
        self.complete(&draft, user, host: configuration.hostname)
        var options = EnvelopeOptions()
        if draft.isEightBit { options.body = .eightBitMIME }
        options.needsUTF8 = draft.needsUTF8
        return ExpressMessage(
            content: draft.octets,
            reversePath: reversePath,
            recipients: recipients,
            options: options
        )
    }

    private func recipients(
        of draft: MessageDraft,
        _ domain: String
    ) throws -> [ExpressMessage.Recipient] {
        var texts = self.recipients.map { Array($0.utf8) }
        if self.readsRecipients {
            guard let read = draft.recipients else {
                throw Complaint(.data, "the recipients in To, Cc and Bcc cannot be read")
            }
            texts += read
        }
        var recipients: [ExpressMessage.Recipient] = []
        var known: Set<ExpressMessage.Recipient> = []
        for text in texts {
            guard let recipient = Self.recipient(text, domain) else {
                throw Complaint(.usage, "\(Self.shown(text)) is no address")
            }
            if known.insert(recipient).inserted { recipients.append(recipient) }
        }
        guard !recipients.isEmpty else {
            throw Complaint(.usage, "the message names no recipients")
        }
        return recipients
    }

    private func reversePath(of draft: MessageDraft, _ domain: String) throws -> [UInt8] {
        let user = "\(SystemNames.user)@\(domain)"
        let text = self.sender.map { Array($0.utf8) } ?? draft.author ?? Array(user.utf8)
        if text.isEmpty || text.elementsEqual("<>".utf8) { return [] }
        guard let sender = Self.recipient(text, domain) else {
            throw Complaint(.usage, "\(Self.shown(text)) is no address")
        }
        return sender.mailbox
    }

    /// A local-part alone is one of our own domain.
    private static func recipient(
        _ text: [UInt8],
        _ domain: String
    ) -> ExpressMessage.Recipient? {
        ExpressMessage.Recipient(text)
            ?? (text.contains(UInt8(ascii: "@"))
                ? nil : ExpressMessage.Recipient(text + Array("@\(domain)".utf8)))
    }

    private static func shown(_ text: [UInt8]) -> String {
        JSONText.string(String(decoding: text, as: UTF8.self))
    }

    private func complete(_ draft: inout MessageDraft, _ user: String, host: String) {
        let now = WallClock.now
        if !draft.has("message-id") {
            let chance = String(UInt64.random(in: 0...UInt64.max), radix: 36)
            draft.add("Message-ID: <\(now.seconds).\(chance)@\(host)>")
        }
        if !draft.has("date") {
            draft.add("Date: \(MailDate(secondsSince1970: now.seconds).text)")
        }
        if !draft.has("from") { draft.add("From: \(Self.author(user, self.fullName))") }
    }

    /// The value of a From field.
    private static func author(_ user: String, _ fullName: String?) -> String {
        // What would end the line, or the quotes, is no part of a name.
        let name = (fullName ?? "").unicodeScalars.filter {
            $0.value >= 0x20 && $0.value != 0x7f && $0 != "\"" && $0 != "\\"
        }
        guard !name.isEmpty else { return user }
        return "\"\(String(String.UnicodeScalarView(name)))\" <\(user)>"
    }

    // MARK: - What is shown

    private func show(_ note: ExpressNote) {
        switch note {
        case .progress(let text) where self.isVerbose || !self.queue: Self.print(text)
        case .line(let text, let isOurs) where self.isVerbose:
            Self.print("\(isOurs ? "C" : "S"): \(text)")
        case .progress, .line: break
        }
    }

    /// Without delay, whoever reads it.
    private static func print(_ line: String) { Terminal.write(Array("\(line)\n".utf8), to: 1) }

    private func conclude(_ message: ExpressMessage, _ results: [ExpressResult]) throws {
        var lines: [String] = []
        for (recipient, result) in zip(message.recipients, results) {
            let line = "\(String(decoding: recipient.mailbox, as: UTF8.self)): \(result.text)"
            if !result.isDelivered {
                lines.append(line)
            } else if self.isVerbose || !self.queue {
                Self.print(line)
            }
        }
        guard let exit = SysExit(results) else { return }
        throw Complaint(exitCode: exit, lines: lines)
    }
}

extension SysExit {
    /// The worst of what became of some recipients; nil: all is well.
    ///
    /// What will never work comes before what may work later: another try is of no use then.
    init?(_ results: [ExpressResult]) {
        let failures = results.filter { !$0.isDelivered }
        guard !failures.isEmpty else { return nil }
        guard let permanent = failures.first(where: \.isPermanent) else {
            self = .temporaryFailure
            return
        }
        self = SysExit(permanent)
    }

    private init(_ permanent: ExpressResult) {
        switch permanent {
        case .answered(_, let outcome):
            switch (outcome.status.subject, outcome.status.detail) {
            // RFC 3463, section 3.2: bad destination mailbox, or its syntax, or it has moved.
            case (1, 1), (1, 3), (1, 6), (2, 1): self = .noUser
            case (1, 2), (1, 10): self = .noHost
            case (6, _): self = .data
            default: self = .unavailable
            }
        case .unreachable(let failure):
            switch failure.reason {
            case .noSuchDomain, .noAddress, .acceptsNoMail: self = .noHost
            case .lookUpFailed, .loopsBack, .refusedByRoute, .unreachable, .noSession, .insecure:
                self = .unavailable
            }
        case .discarded: self = .unavailable
        }
    }
}
