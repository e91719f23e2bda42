// SPDX-License-Identifier: Apache-2.0
//
// The rows of the state chart: how a session comes to stand where something happens to it.

/// Where a session can stand when something happens.
enum Standing: String, CaseIterable {
    case awaitingGreeting
    case greeted
    case saidHELO
    case ready
    case mail
    case allRefused
    case recipient
    case chunking
    case loggedIn
    case authenticating
    case securing
    case verifyingPassword
    case adoptingClient
    case verifyingSender
    case verifyingRecipient
    case verifyingMailbox
    case expandingList
    case startingQueue
    case findingMail
    case opening
    case openingForChunk
    case content
    case refusedContent
    case chunk
    case refusedChunk
    case completingHeader
    case completingHeaderInChunk
    case committing

    var awaitsCommand: Bool {
        switch self {
        case .greeted, .saidHELO, .ready, .mail, .allRefused, .recipient, .chunking, .loggedIn: true
        case .awaitingGreeting, .authenticating, .securing, .verifyingPassword, .adoptingClient,
            .verifyingSender, .verifyingRecipient, .verifyingMailbox, .expandingList,
            .startingQueue, .findingMail, .opening, .openingForChunk, .content, .refusedContent,
            .chunk, .refusedChunk, .completingHeader,
            .completingHeaderInChunk, .committing:
            false
        }
    }

    /// How a session gets there after the greeting; `@` is the hello of the dialect.
    var lines: [String] {
        let loggedIn = ["@ c", "AUTH PLAIN AGEAYQ==", "?good"]
        let recipient = ["@ c", "MAIL FROM:<a@b>", "RCPT TO:<c@d>", "?accepted"]
        let submitted = loggedIn + ["MAIL FROM:<a@b>", "?permitted", "RCPT TO:<c@d>", "?accepted"]
        return switch self {
        case .awaitingGreeting, .greeted: []
        case .saidHELO: ["HELO c"]
        case .ready: ["@ c"]
        case .mail: ["@ c", "MAIL FROM:<a@b>"]
        case .allRefused: ["@ c", "MAIL FROM:<a@b>", "RCPT TO:<c@d>", "?unknown"]
        case .recipient: recipient
        case .chunking: recipient + ["BDAT 0", "?opened", ""]
        case .loggedIn: loggedIn
        case .authenticating: ["@ c", "AUTH PLAIN"]
        case .securing: ["@ c", "STARTTLS"]
        case .verifyingPassword: ["@ c", "AUTH PLAIN AGEAYQ=="]
        case .adoptingClient: ["XCLIENT ADDR=192.0.2.9"]
        case .verifyingSender: loggedIn + ["MAIL FROM:<a@b>"]
        case .verifyingRecipient: ["@ c", "MAIL FROM:<a@b>", "RCPT TO:<c@d>"]
        case .verifyingMailbox: ["@ c", "VRFY c"]
        case .expandingList: ["@ c", "EXPN c"]
        case .startingQueue: ["@ c", "ETRN c"]
        case .findingMail: loggedIn + ["ATRN c"]
        case .opening: recipient + ["DATA"]
        case .openingForChunk: recipient + ["BDAT 5"]
        case .content: recipient + ["DATA", "?opened"]
        case .refusedContent: recipient + ["DATA", "?opened", "\nLF"]
        case .chunk: recipient + ["BDAT 5", "?opened"]
        case .refusedChunk: ["@ c", "BDAT 5"]
        case .completingHeader: submitted + ["DATA", "?opened", "From: a@b\r\n", "\r\n", ""]
        case .completingHeaderInChunk:
            submitted + ["BDAT 16 LAST", "?opened", "From: a@b\r\n", "\r\n", ""]
        case .committing: recipient + ["DATA", "?opened", "."]
        }
    }
}
