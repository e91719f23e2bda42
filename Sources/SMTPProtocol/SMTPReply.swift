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
