// SPDX-License-Identifier: Apache-2.0
//
// The response texts in English; ASCII only, since i-default uses them too.

extension POP3Reply {
    /// The text in English.
    var english: StaticString {
        switch self {
        case .ready: "POP3 server ready"
        case .nameTaken: "send PASS"
        case .maildropHas: "maildrop has"
        case .messageDeleted: "message deleted"
        case .nothingDone: "nothing done"
        case .uniqueIDsFollow: "unique-id listing follows"
        case .topFollows: "top of message follows"
        case .capabilitiesFollow: "capability list follows"
        case .utf8On: "UTF-8 enabled"
        case .languagesFollow: "language listing follows"
        case .languageSelected: "language changed"
        case .mechanismsFollow: "mechanism list follows"
        case .beginTLS: "begin TLS negotiation"
        case .clientAdopted: "client address updated"
        case .signingOff: "POP3 server signing off"
        case .earlyTalk: "the server speaks first"
        case .foreignProtocol: "this is a POP3 server"
        case .unknownCommand: "unknown command"
        case .syntax: "syntax:"
        case .octetsNotAllowed: "NUL and CR have no place in a command"
        case .lineTooLong: "command line too long"
        case .loginFirst: "log in first"
        case .alreadyLoggedIn: "already logged in"
        case .userFirst: "send USER first"
        case .plaintextRefused: "passwords are not taken on an unencrypted connection"
        case .apopNotOffered: "APOP is not offered here"
        case .tlsNotOffered: "TLS is not offered here"
        case .tlsActive: "TLS is active already"
        case .clientRefused: "this client is not let in"
        case .noMechanism: "no such authentication mechanism"
        case .authenticationFailed: "authentication failed"
        case .authenticationCancelled: "authentication cancelled"
        case .responseMalformed: "this is no response of the mechanism in base64"
        case .notUTF8: "name or password is not acceptable UTF-8"
        case .loginRefused: "invalid user name or password"
        case .maildropLocked: "maildrop is in use by another session"
        case .loginDelayed: "too soon after the last login"
        case .loginThrottled: "too many failed logins, try again later"
        case .temporaryFailure: "temporary failure, try again later"
        case .noSuchMessage: "no such message"
        case .alreadyDeleted: "message already deleted"
        case .contentMissing: "message is not there any more"
        case .deletionsFailed: "some deleted messages not removed"
        case .languageUnknown: "language not supported"
        case .tooManyErrors: "too many errors"
        case .tooManyCommands: "too many commands"
        case .goingDown: "server is going down, try again later"
        }
    }
}
