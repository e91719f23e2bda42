// SPDX-License-Identifier: Apache-2.0
//
// The verbs a session knows, as their lower-case octets packed into one number, so that a line is
// dispatched by one switch over integers.

/// The first word of a command line.
enum POP3Verb: UInt64, BitwiseCopyable, CaseIterable, Sendable {
    case user = 0x7573_6572
    case pass = 0x7061_7373
    case apop = 0x6170_6f70
    case auth = 0x6175_7468
    case quit = 0x7175_6974
    case stat = 0x7374_6174
    case list = 0x6c69_7374
    case retr = 0x7265_7472
    case dele = 0x6465_6c65
    case noop = 0x6e6f_6f70
    case rset = 0x7273_6574
    case last = 0x6c61_7374
    case top = 0x74_6f70
    case uidl = 0x7569_646c
    case capa = 0x6361_7061
    case utf8 = 0x7574_6638
    case lang = 0x6c61_6e67
    case stls = 0x7374_6c73
    case xclient = 0x78_636c_6965_6e74

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

    /// How the command is written, for the reply to one that is not.
    ///
    /// Without the brackets of the RFCs: RFC 2449, section 3, keeps them for response codes.
    var syntax: StaticString {
        switch self {
        case .user: "USER name"
        case .pass: "PASS string"
        case .apop: "APOP name digest"
        case .auth: "AUTH mechanism, or AUTH mechanism initial-response"
        case .quit: "QUIT"
        case .stat: "STAT"
        case .list: "LIST, or LIST msg"
        case .retr: "RETR msg"
        case .dele: "DELE msg"
        case .noop: "NOOP"
        case .rset: "RSET"
        case .last: "LAST"
        case .top: "TOP msg n"
        case .uidl: "UIDL, or UIDL msg"
        case .capa: "CAPA"
        case .utf8: "UTF8"
        case .lang: "LANG, or LANG language-range"
        case .stls: "STLS"
        case .xclient: "XCLIENT ADDR=address, or XCLIENT ADDR=address PORT=port"
        case .get, .post, .head, .put, .delete, .options, .connect, .trace, .patch, .pri: "HTTP"
        }
    }
}
