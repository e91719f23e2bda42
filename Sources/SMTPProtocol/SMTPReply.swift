// SPDX-License-Identifier: Apache-2.0
//
// Every reply of one line that carries nothing of the session: reply code (RFC 5321, section
// 4.2.3), enhanced status code (RFC 3463, RFC 5248) and text. Replies with an id, a mailbox or
// several lines are written where they are made.

/// A reply.
enum SMTPReply: Equatable, BitwiseCopyable, Sendable, Error {
    case reset
    case nothingDone
    case closing
    case senderTaken
    case recipientTaken
    case startMailInput
    case chunkTaken
    case cannotVerify

    case earlyTalk
    case foreignProtocol
    case unknownCommand
    case octetsNotAllowed
    case lineTooLong
    case noSuchTopic
    case notImplemented
    case noSOML
    case noSEND
    case noTURN
    case noEXPN
    case notLMTP
    case notSMTP
    case badClientName

    case helloFirst
    case mailFirst
    case nestedMail
    case withinChunks
    case noRecipients
    case allRecipientsRefused

    case badReversePath
    case badForwardPath
    case pathTooLong
    case parameterSyntax
    case parameterTwice
    case parameterUnknown
    case binaryRefused
    case declaredTooLarge
    case reversePathNeedsUTF8
    case forwardPathNeedsUTF8
    case tooManyRecipients

    case recipientUnknown
    case relayingDenied
    case mailboxNeverFits
    case mailboxFull
    case mailboxUnknown
    case temporaryFailure
    case storeFull
    case commitFailed

    case tooLarge
    case bareLineEnd
    case loops
    case chunkUnbounded

    case startTLS
    case securedAlready
    case tlsUnavailable

    case authenticated
    case authenticationRequired
    case authenticatedAlready
    case ehloFirst
    case withinTransaction
    case mechanismUnknown
    case mechanismNeedsTLS
    case mechanismTooWeak
    case credentialsRejected
    case exchangeCancelled
    case exchangeMalformed
    case responseTooLong
    case loginUnavailable
    case loginThrottled
    case tooManyLogins

    case senderForbidden
    case tooManyMessages
    case tooManyRecipientsForNow
    case authorForbidden
    case authorMissing
    case authorUnreadable

    case noSuchQueue
    case noMail
    case turningAround
    case fetchingForbidden
    case fetchingUnavailable
    case fetchingOnly

    case attributeSyntax
    case attributeUnknown
    case xclientRefused
    case tooManyConnections

    case tooManyErrors
    case tooManyCommands
    case tooManyTransactions
    case lineEndless
    case timedOut
    case tooSlow
    case answerTimedOut
    case goingDown

    /// The line without its CRLF.
    var line: StaticString {
        switch self {
        case .reset: "250 2.0.0 Reset"
        case .nothingDone: "250 2.0.0 OK"
        case .closing: "221 2.0.0 Goodbye"
        case .senderTaken: "250 2.1.0 Sender OK"
        case .recipientTaken: "250 2.1.5 Recipient OK"
        case .startMailInput: "354 Send the message, then a line with a single dot"
        case .chunkTaken: "250 2.0.0 Chunk received"
        case .cannotVerify: "252 2.5.0 Cannot verify, but will try to deliver"

        case .earlyTalk: "554 5.5.0 The server speaks first"
        case .foreignProtocol: "554 5.5.0 This is a mail server"
        case .unknownCommand: "500 5.5.2 Unknown command"
        case .octetsNotAllowed: "500 5.5.2 NUL, bare CR and bare LF are not allowed"
        case .lineTooLong: "500 5.5.2 Line too long"
        case .noSuchTopic: "504 5.5.4 No such command; HELP lists them"
        case .notImplemented: "502 5.5.1 Not implemented"
        case .noSOML: "502 5.5.1 No terminals here, and mail is sent with MAIL"
        case .noSEND: "502 5.5.1 No terminals here"
        case .noTURN: "502 5.5.1 Turning round would give mail to anybody who asks"
        case .noEXPN: "502 5.5.1 Lists are not shown"
        case .notLMTP: "500 5.5.1 This is not LMTP: say EHLO"
        case .notSMTP: "500 5.5.1 This is LMTP: say LHLO"
        case .badClientName: "501 5.5.4 That is no name for a host"

        case .helloFirst: "503 5.5.1 Say hello first"
        case .mailFirst: "503 5.5.1 Send MAIL first"
        case .nestedMail: "503 5.5.1 A transaction is under way already"
        case .withinChunks: "503 5.5.1 After BDAT only BDAT goes on"
        case .noRecipients: "503 5.5.1 Send RCPT first"
        case .allRecipientsRefused: "554 5.5.1 No valid recipients"

        case .badReversePath: "501 5.1.7 Syntax: MAIL FROM:<reverse-path> [parameters]"
        case .badForwardPath: "501 5.1.3 Syntax: RCPT TO:<forward-path> [parameters]"
        case .pathTooLong: "501 5.1.0 Path too long"
        case .parameterSyntax: "501 5.5.4 Bad parameter"
        case .parameterTwice: "501 5.5.4 Parameter given twice"
        case .parameterUnknown: "555 5.5.4 Parameter not recognised"
        case .binaryRefused: "555 5.5.4 BINARYMIME is not offered"
        case .declaredTooLarge: "552 5.3.4 Message too large"
        case .reversePathNeedsUTF8: "553 5.6.7 Non-ASCII reverse-path needs SMTPUTF8"
        case .forwardPathNeedsUTF8: "553 5.6.7 Non-ASCII forward-path needs SMTPUTF8"
        case .tooManyRecipients: "452 4.5.3 Too many recipients"

        case .recipientUnknown: "550 5.1.1 No such mailbox"
        case .relayingDenied: "550 5.7.1 Relaying denied"
        case .mailboxNeverFits: "552 5.2.2 Message larger than the mailbox"
        case .mailboxFull: "452 4.2.2 Mailbox full"
        case .mailboxUnknown: "550 5.1.1 No such mailbox or list"
        case .temporaryFailure: "451 4.3.0 Temporary failure, try again later"
        case .storeFull: "452 4.3.1 Mail system full"
        case .commitFailed: "451 4.3.0 Could not store the message, try again later"

        case .tooLarge: "552 5.3.4 Message too large"
        case .bareLineEnd: "554 5.6.0 Bare CR or LF in the message: lines end with CRLF"
        case .loops: "554 5.4.6 Too many Received fields: mail loop"
        case .chunkUnbounded: "552 5.3.4 No chunk can be that large"

        case .startTLS: "220 2.0.0 Ready to start TLS"
        case .securedAlready: "503 5.5.1 TLS is on already"
        case .tlsUnavailable: "454 4.7.0 TLS is not possible at present"

        case .authenticated: "235 2.7.0 Authentication succeeded"
        case .authenticationRequired: "530 5.7.0 Authentication required"
        case .authenticatedAlready: "503 5.5.1 Authenticated already"
        case .ehloFirst: "503 5.5.1 Say EHLO first"
        case .withinTransaction: "503 5.5.1 Not within a transaction"
        case .mechanismUnknown: "504 5.5.4 Mechanism not offered"
        case .mechanismNeedsTLS: "538 5.7.11 That mechanism needs TLS: say STARTTLS first"
        case .mechanismTooWeak: "534 5.7.9 Not with this mechanism"
        case .credentialsRejected: "535 5.7.8 Authentication failed"
        case .exchangeCancelled: "501 5.7.0 Authentication cancelled"
        case .exchangeMalformed: "501 5.5.2 Cannot read that response"
        case .responseTooLong: "500 5.5.6 Response too long"
        case .loginUnavailable: "454 4.7.0 Authentication is not possible at present"
        case .loginThrottled: "454 4.7.0 Too many failed logins, try again later"
        case .tooManyLogins: "421 4.7.0 Too many failed logins"

        case .senderForbidden: "550 5.7.1 That reverse-path is not yours"
        case .tooManyMessages: "450 4.7.1 Too many messages, try again later"
        case .tooManyRecipientsForNow: "452 4.7.1 Too many recipients, try again later"
        case .authorForbidden: "550 5.7.1 From names an author that is not you"
        case .authorMissing: "550 5.7.1 From names no author"
        case .authorUnreadable: "550 5.7.1 From cannot be read"

        case .noSuchQueue: "459 4.7.1 There is no such queue"
        case .noMail: "453 4.2.0 You have no mail"
        case .turningAround: "250 2.0.0 OK now reversing the connection"
        case .fetchingForbidden: "450 4.7.1 ATRN request refused"
        case .fetchingUnavailable: "451 4.3.0 Unable to process ATRN request now"
        case .fetchingOnly: "502 5.5.1 Mail is only fetched here, by ATRN"

        case .attributeSyntax: "501 5.5.4 Bad attribute value"
        case .attributeUnknown: "501 5.5.4 Attribute not offered"
        case .xclientRefused: "550 5.7.0 XCLIENT is not for you"
        case .tooManyConnections: "421 4.7.0 Too many connections"

        case .tooManyErrors: "421 4.7.0 Too many errors"
        case .tooManyCommands: "421 4.7.0 Too many commands"
        case .tooManyTransactions: "421 4.7.0 Too many transactions"
        case .lineEndless: "421 4.7.0 Line too long"
        case .timedOut: "421 4.4.2 Timeout"
        case .tooSlow: "421 4.4.2 Too slow"
        case .answerTimedOut: "421 4.3.0 No answer from the mail system"
        case .goingDown: "421 4.3.2 Shutting down"
        }
    }
}
