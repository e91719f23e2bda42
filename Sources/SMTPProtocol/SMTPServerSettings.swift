// SPDX-License-Identifier: Apache-2.0
//
// What an operator decides about SMTP and LMTP sessions: names, services and limits. One value
// serves all sessions of a listener.

public import SASL

/// The settings of an SMTP or LMTP listener, shared by its sessions.
public final class SMTPServerSettings: Sendable {
    /// Which protocol is spoken.
    public enum Dialect: Equatable, Sendable {
        /// RFC 5321.
        case smtp
        /// RFC 2033.
        case lmtp
    }

    /// What clients come for.
    public enum Purpose: Equatable, Sendable {
        /// Other servers bring mail.
        case relaying
        /// Users submit messages (RFC 6409).
        case submission
        /// Mail is fetched by ATRN (RFC 2645), and nothing else is done.
        case fetching
    }

    /// What becomes of CR and LF that do not stand together in mail data and commands.
    public enum LineEndings: Equatable, Sendable {
        /// The command or the message is refused: a next hop might read them as line ends.
        case refuse
        /// Each is taken for a line end and stored as CRLF; only CRLF.CRLF ends mail data.
        case normalise
    }

    /// The name in the greeting, in replies and in Received fields.
    public let hostname: [UInt8]
    /// Which protocol is spoken.
    public let dialect: Dialect
    /// What becomes of bare CR and LF.
    public let lineEndings: LineEndings
    /// The largest message (RFC 1870); announced by SIZE.
    public let messageOctetsMax: Int
    /// How many recipients one transaction may have; announced by LIMITS (RFC 9422).
    public let recipientsMax: Int
    /// How many transactions (MAIL commands) a session may begin; announced by LIMITS.
    public let transactionsMax: Int
    /// The longest command line with its CRLF.
    public let commandOctetsMax: Int
    /// How many octets of one overlong line are skipped before the session ends.
    public let skippedOctetsMax: Int
    /// How many commands may be refused before the session ends with 421.
    public let errorsMax: Int
    /// How many commands a session may give.
    public let commandsMax: Int
    /// How many logins may fail before the session ends with 421.
    public let loginFailuresMax: Int
    /// A message with more Received fields than this is taken to loop (RFC 5321, section 6.3).
    public let receivedFieldsMax: Int
    /// Whether VRFY tells the truth; otherwise it says 252 to everything.
    public let answersVRFY: Bool
    /// Whether EXPN lists members; otherwise it is refused.
    public let answersEXPN: Bool
    /// Whether SOML and SAML (RFC 821, section 3.4) are taken as MAIL.
    public let acceptsSOML: Bool

    /// Whether TLS can be begun by STARTTLS (RFC 3207).
    public let offersSTARTTLS: Bool
    /// The mechanisms of AUTH (RFC 4954) that the listener has at all; none: no AUTH.
    public let mechanisms: SASLMechanismSet
    /// Whether mechanisms that show the secret may be used without TLS.
    public let permitsPlaintextAuth: Bool
    /// Whether MAIL needs AUTH before it (RFC 6409, section 4.3).
    public let requiresAuthentication: Bool
    /// What clients come for.
    public let purpose: Purpose
    /// Whether ETRN (RFC 1985) is offered.
    public let offersETRN: Bool
    /// Whether the authors in From fields of submitted messages are asked about.
    public let checksAuthors: Bool
    /// Whether submitted messages get the Date and Message-ID that they lack (RFC 6409, section 8).
    public let addsMissingFields: Bool
    /// Whether Received fields of submitted messages keep silent about who the client is.
    public let hidesClientAddress: Bool
    /// Whether XCLIENT, where it is offered, may say who has logged in.
    public let acceptsXCLIENTLogin: Bool

    /// The replies to the connection, to EHLO or LHLO, and to HELO: the same for all sessions, but
    /// for the keywords that come between the two parts of `extensions`.
    let greeting: [UInt8]
    let extensions: (first: [UInt8], last: [UInt8])
    let plainHello: [UInt8]

    /// Settings with defaults for all but the name.
    public init(
        hostname: [UInt8],
        dialect: Dialect = .smtp,
        lineEndings: LineEndings = .refuse,
        messageOctetsMax: Int = 52_428_800,
        recipientsMax: Int = 1000,
        transactionsMax: Int = 1000,
        commandOctetsMax: Int = 2048,
        skippedOctetsMax: Int = 65536,
        errorsMax: Int = 20,
        commandsMax: Int = 100_000,
        loginFailuresMax: Int = 5,
        receivedFieldsMax: Int = 100,
        answersVRFY: Bool = false,
        answersEXPN: Bool = false,
        acceptsSOML: Bool = false,
        offersSTARTTLS: Bool = false,
        mechanisms: SASLMechanismSet = [],
        permitsPlaintextAuth: Bool = false,
        requiresAuthentication: Bool = false,
        purpose: Purpose = .relaying,
        offersETRN: Bool = false,
        checksAuthors: Bool = false,
        addsMissingFields: Bool = false,
        hidesClientAddress: Bool = false,
        acceptsXCLIENTLogin: Bool = false
    ) {
        precondition(commandOctetsMax >= 512, "RFC 5321 asks for command lines of 512 octets")
        precondition(recipientsMax >= 100, "RFC 5321 asks for 100 recipients")
        precondition(
            messageOctetsMax > 0 && transactionsMax > 0 && skippedOctetsMax > 0 && errorsMax > 0
                && commandsMax > 0 && receivedFieldsMax > 0 && loginFailuresMax > 0,
            "a limit of nothing lets nobody in"
        )
        self.hostname = hostname
        self.dialect = dialect
        self.lineEndings = lineEndings
        self.messageOctetsMax = messageOctetsMax
        self.recipientsMax = recipientsMax
        self.transactionsMax = transactionsMax
        self.commandOctetsMax = commandOctetsMax
        self.skippedOctetsMax = skippedOctetsMax
        self.errorsMax = errorsMax
        self.commandsMax = commandsMax
        self.loginFailuresMax = loginFailuresMax
        self.receivedFieldsMax = receivedFieldsMax
        self.answersVRFY = answersVRFY
        self.answersEXPN = answersEXPN
        self.acceptsSOML = acceptsSOML
        self.offersSTARTTLS = offersSTARTTLS
        self.mechanisms = mechanisms
        self.permitsPlaintextAuth = permitsPlaintextAuth
        self.requiresAuthentication = requiresAuthentication
        self.purpose = purpose
        self.offersETRN = offersETRN && dialect == .smtp && purpose != .fetching
        self.checksAuthors = checksAuthors
        self.addsMissingFields = addsMissingFields
        self.hidesClientAddress = hidesClientAddress
        self.acceptsXCLIENTLogin = acceptsXCLIENTLogin
        let size = "SIZE \(messageOctetsMax)"
        let limits = "LIMITS RCPTMAX=\(recipientsMax) MAILMAX=\(transactionsMax)"
        (self.greeting, self.plainHello, self.extensions) = Self.replies(
            String(decoding: hostname, as: UTF8.self),
            dialect,
            Self.keywords(purpose, size: size, limits: limits, hasETRN: self.offersETRN)
        )
    }

    private static func keywords(
        _ purpose: Purpose,
        size: String,
        limits: String,
        hasETRN: Bool
    ) -> [String] {
        guard purpose != .fetching else { return ["ENHANCEDSTATUSCODES", "ATRN"] }
        return [
            "PIPELINING", size, "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "CHUNKING", "DSN",
            limits,
        ] + (hasETRN ? ["ETRN"] : [])
    }

    private static func replies(
        _ name: String,
        _ dialect: Dialect,
        _ keywords: [String]
    ) -> (greeting: [UInt8], plainHello: [UInt8], extensions: (first: [UInt8], last: [UInt8])) {
        let protocolName = dialect == .smtp ? "ESMTP" : "LMTP"
        let first = ([name] + keywords).map { "250-\($0)\r\n" }.joined()
        return (
            Array("220 \(name) \(protocolName) Martlet\r\n".utf8),
            Array("250 \(name)\r\n".utf8),
            (Array(first.utf8), Array("250 HELP\r\n".utf8))
        )
    }
}
