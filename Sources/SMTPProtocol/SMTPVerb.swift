// SPDX-License-Identifier: Apache-2.0
//
// The verbs a session knows, as their lower-case octets packed into one number, so that a line is
// dispatched by one switch over integers.

internal import MailBytes

/// The first word of a command line.
enum SMTPVerb: UInt64, BitwiseCopyable, CaseIterable, Sendable {
    case helo = 0x6865_6c6f
    case ehlo = 0x6568_6c6f
    case lhlo = 0x6c68_6c6f
    case mail = 0x6d61_696c
    case rcpt = 0x7263_7074
    case data = 0x6461_7461
    case bdat = 0x6264_6174
    case rset = 0x7273_6574
    case noop = 0x6e6f_6f70
    case quit = 0x7175_6974
    case help = 0x6865_6c70
    case vrfy = 0x7672_6679
    case expn = 0x6578_706e
    case send = 0x7365_6e64
    case soml = 0x736f_6d6c
    case saml = 0x7361_6d6c
    case turn = 0x7475_726e
    case startTLS = 0x7374_6172_7474_6c73
    case auth = 0x6175_7468
    case xclient = 0x78_636c_6965_6e74
    case etrn = 0x6574_726e
    case atrn = 0x6174_726e

    // The verbs of HTTP: a browser, or a page that makes a browser talk to this port.
    case get = 0x67_6574
    case post = 0x706f_7374
    case head = 0x6865_6164
    case put = 0x70_7574
    case delete = 0x6465_6c65_7465
    case options = 0x6f_7074_696f_6e73
    case connect = 0x63_6f6e_6e65_6374
    case trace = 0x74_7261_6365
    case patch = 0x70_6174_6368
    case pri = 0x70_7269

    /// The verb that fills `range`, ASCII case aside.
    static func parse(_ octets: borrowing Span<UInt8>, in range: ByteRange) -> SMTPVerb? {
        guard range.count <= 8 else { return nil }
        var packed: UInt64 = 0
        for index in range.indices {
            packed = packed << 8 | UInt64(octets[index].lowercasedASCII)
        }
        return SMTPVerb(rawValue: packed)
    }

    /// Whether the command is for mail that comes in, or asks where it would go.
    ///
    /// BDAT is not here, because what follows it must be taken for its payload.
    var bringsMail: Bool {
        switch self {
        case .mail, .soml, .saml, .rcpt, .data, .vrfy, .expn: true
        default: false
        }
    }

    /// How the command is written, for the reply to one that is not.
    var syntax: StaticString {
        switch self {
        case .helo: "HELO domain"
        case .ehlo: "EHLO domain"
        case .lhlo: "LHLO domain"
        case .mail: "MAIL FROM:<reverse-path> [parameters]"
        case .rcpt: "RCPT TO:<forward-path> [parameters]"
        case .data: "DATA"
        case .bdat: "BDAT chunk-size [LAST]"
        case .rset: "RSET"
        case .noop: "NOOP [string]"
        case .quit: "QUIT"
        case .help: "HELP [verb]"
        case .vrfy: "VRFY mailbox"
        case .expn: "EXPN list"
        case .send: "SEND FROM:<reverse-path>"
        case .soml: "SOML FROM:<reverse-path> [parameters]"
        case .saml: "SAML FROM:<reverse-path> [parameters]"
        case .turn: "TURN"
        case .startTLS: "STARTTLS"
        case .auth: "AUTH mechanism [initial-response]"
        case .xclient: "XCLIENT attribute=value ..."
        case .etrn: "ETRN domain"
        case .atrn: "ATRN [domain,...]"
        case .get, .post, .head, .put, .delete, .options, .connect, .trace, .patch, .pri: "HTTP"
        }
    }

    /// What the command is for, for HELP; nil when the server does not have it.
    var purpose: StaticString? {
        switch self {
        case .helo: "says who the client is, for clients without service extensions"
        case .ehlo: "says who the client is and asks for the service extensions"
        case .lhlo: "says who the client is and asks for the service extensions"
        case .mail: "begins a mail transaction; <> is the null reverse-path"
        case .rcpt: "names a recipient; once for each"
        case .data: "sends the message, which a line of a single dot ends"
        case .bdat: "sends a part of the message; LAST ends it"
        case .rset: "gives the mail transaction up"
        case .noop: "does nothing"
        case .quit: "ends the session"
        case .help: "says what a command is for"
        case .vrfy: "asks whether a mailbox exists"
        case .expn: "asks for the members of a list"
        case .soml, .saml: "is taken as MAIL"
        case .startTLS: "begins TLS"
        case .auth: "says who the client is, and proves it"
        case .xclient: "says for whom a proxy speaks"
        case .etrn: "starts delivery of what waits for a domain; @ before it is for all below it"
        case .atrn: "turns the connection around and takes the mail of domains"
        case .send, .turn, .get, .post, .head, .put, .delete, .options,
            .connect, .trace, .patch, .pri:
            nil
        }
    }
}
