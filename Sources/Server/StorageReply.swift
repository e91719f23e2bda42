// SPDX-License-Identifier: Apache-2.0
//
// Everything that can come back to a waiting driver, from the store, a worker or a timer.

package import Credentials
package import MailBytes
package import MailStore
package import MailSyntax
package import POP3Protocol

/// The answer to one ticket.
package enum StorageReply: Sendable {
    /// What became of a message that was to be stored.
    case appended(StoreAnswer, StoreRequest.Append)
    /// What became of content that was to go ahead of that message, and how much it was.
    case staged(StoreAnswer, MessageID, octets: Int)
    /// What became of the deletions in a maildrop.
    case deleted(StoreAnswer, AccountID)
    /// What became of any other request, and the account or alias it may have changed.
    case written(StoreAnswer, changed: Address?)
    /// What became of a better verifier for the same password.
    case improved(StoreAnswer)
    case resolved(Address, AddressResolution)
    /// The members of a list, LF between them; nil when there is no such address.
    case expanded([UInt8]?)
    case account(AccountRecord?)
    case maildrop(MaildropHead)
    case listing(MaildropListing)
    case content(ReadContent)
    case accounts([AccountSummary])
    case aliases([AliasSummary])
    case accountKinds(AccountKinds)
    case judged(PasswordVerdict)
    /// What became of a change of the queue that an operator, or a site that fetches its mail,
    /// asked for.
    case queueChanged(StoreAnswer)
    case waitingDestinations([WaitingDestination])
    case dueDestinations([DueDestination], nextAt: Int64?)
    case dueMessages(destination: [UInt8], DueMessages)
    case queuedContent([UInt8], isLast: Bool)
    case reportsDue([QueueReportDue])
    case queueWatch(QueueWatchFindings)
    case queueRows(QueuePage)
    case queueMessage(QueueDetail?)
    case delayPassed
    case failed(StoreError)

    /// The writer's answer to a request.
    package static func written(_ answer: StoreAnswer, to request: StoreRequest) -> StorageReply {
        switch request {
        case .append(let message): .appended(answer, message)
        case .stage(let id, _, let octets), .spill(let id, _, _, let octets):
            .staged(answer, id, octets: octets.count)
        case .delete(let account, _, _): .deleted(answer, account)
        case .addAccount(let account): .written(answer, changed: account.address)
        case .setPassword(let address, _, _), .removeAccount(let address),
            .setQuota(let address, _), .addAlias(let address, _), .removeAlias(let address):
            .written(answer, changed: address)
        case .improveVerifier: .improved(answer)
        case .wake, .changeQueue: .queueChanged(answer)
        case .unstage, .reserveMessageIDs, .settle, .rest, .appendReport, .closeReports:
            .written(answer, changed: nil)
        }
    }
}

/// A part of a message, and whole messages that were read before they were asked for, all of them
/// in one array.
package struct ReadContent: Sendable {
    package let octets: [UInt8]
    /// What was asked for.
    package let part: ContentPart
    package let following: [(sequence: UInt32, part: ContentPart)]
}

/// A part of a message within a larger array.
package struct ContentPart: BitwiseCopyable, Sendable {
    package let range: ByteRange
    /// Whether the part reaches the end of its message.
    package let isLast: Bool
    /// Found out by the reader, who has the octets at hand; see `ContentEncoder.mayStuff`.
    package let needsStuffing: Bool

    init(_ range: ByteRange, of octets: borrowing Span<UInt8>, isLast: Bool) {
        self.range = range
        self.isLast = isLast
        self.needsStuffing = ContentEncoder.mayStuff(octets.extracting(range.indices))
    }
}

/// What the password worker found.
package struct PasswordVerdict: Sendable {
    package let isValid: Bool
    /// What to store from now on, when the account held an imported hash.
    package let betterRecord: PasswordRecord?
    /// The name of the account that a token is for.
    package let identity: [UInt8]?

    package init(
        isValid: Bool,
        betterRecord: PasswordRecord? = nil,
        identity: [UInt8]? = nil
    ) {
        self.isValid = isValid
        self.betterRecord = betterRecord
        self.identity = identity
    }
}
