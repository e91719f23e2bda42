// SPDX-License-Identifier: Apache-2.0
//
// Everything a session can say on one line: its status indicator, its response code (RFC 2449,
// section 8, RFC 3206) and, in the files beside this one, its text in each language.

/// A reply, or the wording of one that carries numbers.
enum POP3Reply: CaseIterable, Equatable, BitwiseCopyable {
    case ready
    case nameTaken
    case maildropHas
    case messageDeleted
    case nothingDone
    case uniqueIDsFollow
    case topFollows
    case capabilitiesFollow
    case utf8On
    case languagesFollow
    case languageSelected
    case mechanismsFollow
    case beginTLS
    case clientAdopted
    case signingOff

    case earlyTalk
    case foreignProtocol
    case unknownCommand
    case syntax
    case octetsNotAllowed
    case lineTooLong
    case loginFirst
    case alreadyLoggedIn
    case userFirst
    case plaintextRefused
    case apopNotOffered
    case tlsNotOffered
    case tlsActive
    case clientRefused
    case noMechanism
    case authenticationFailed
    case authenticationCancelled
    case responseMalformed
    case notUTF8
    case loginRefused
    case maildropLocked
    case loginDelayed
    case loginThrottled
    case temporaryFailure
    case noSuchMessage
    case alreadyDeleted
    case contentMissing
    case deletionsFailed
    case languageUnknown
    case tooManyErrors
    case tooManyCommands
    case goingDown

    /// Whether the status indicator is -ERR.
    var isError: Bool {
        switch self {
        case .ready, .nameTaken, .maildropHas, .messageDeleted, .nothingDone, .uniqueIDsFollow,
            .topFollows, .capabilitiesFollow, .utf8On, .languagesFollow, .languageSelected,
            .mechanismsFollow,
            .beginTLS, .clientAdopted, .signingOff:
            false
        case .earlyTalk, .foreignProtocol, .unknownCommand, .syntax, .octetsNotAllowed,
            .lineTooLong, .loginFirst, .alreadyLoggedIn, .userFirst, .plaintextRefused,
            .apopNotOffered, .tlsNotOffered, .tlsActive, .clientRefused, .noMechanism,
            .authenticationFailed, .authenticationCancelled, .responseMalformed, .notUTF8,
            .loginRefused, .maildropLocked, .loginDelayed, .loginThrottled, .temporaryFailure,
            .noSuchMessage, .alreadyDeleted, .contentMissing,
            .deletionsFailed, .languageUnknown, .tooManyErrors, .tooManyCommands, .goingDown:
            true
        }
    }

    /// The response code with its brackets and a space; empty when the reply has none.
    ///
    /// [AUTH] is about credentials and the policy for them and nothing else, as AUTH-RESP-CODE
    /// promises (RFC 3206, section 4).
    var code: StaticString {
        switch self {
        case .plaintextRefused, .notUTF8, .loginRefused, .authenticationFailed: "[AUTH] "
        case .maildropLocked: "[IN-USE] "
        case .loginDelayed: "[LOGIN-DELAY] "
        case .loginThrottled, .temporaryFailure, .deletionsFailed, .goingDown: "[SYS/TEMP] "
        case .ready, .nameTaken, .maildropHas, .messageDeleted, .nothingDone, .uniqueIDsFollow,
            .topFollows, .capabilitiesFollow, .utf8On, .languagesFollow, .languageSelected,
            .mechanismsFollow,
            .beginTLS, .clientAdopted, .signingOff, .earlyTalk, .foreignProtocol, .unknownCommand,
            .syntax,
            .octetsNotAllowed, .lineTooLong, .loginFirst, .alreadyLoggedIn, .userFirst,
            .apopNotOffered, .tlsNotOffered, .tlsActive, .clientRefused, .noMechanism,
            .authenticationCancelled, .responseMalformed,
            .noSuchMessage, .alreadyDeleted, .contentMissing,
            .languageUnknown, .tooManyErrors, .tooManyCommands:
            ""
        }
    }

    /// The text in one of the languages.
    func text(in language: POP3Language) -> StaticString {
        switch language {
        case .standard, .english: self.english
        case .german: self.german
        case .french: self.french
        }
    }
}
