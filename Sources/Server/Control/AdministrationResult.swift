// SPDX-License-Identifier: Apache-2.0
//
// How a request becomes a call of the store, and the store's answer rows for the command line; the
// same over the control socket and on the store itself.

package import MailStore
internal import MailSyntax

extension AdministrationRequest {
    /// The call of the store that carries a request out.
    package enum Step: Sendable {
        case write(StoreRequest)
        case read(StoreQuestion)
    }

    package var step: Step {
        switch self {
        case .addAccount(let address, let verifier, let secret, let quota):
            .write(
                .addAccount(
                    NewAccount(
                        address: address,
                        verifier: verifier,
                        recoverableSecret: secret,
                        quota: quota
                    )
                )
            )
        case .setPassword(let address, let verifier, let secret):
            .write(.setPassword(address, verifier: verifier, recoverableSecret: secret))
        case .removeAccount(let address): .write(.removeAccount(address))
        case .setQuota(let address, let quota): .write(.setQuota(address, quota))
        case .accounts(let after, let count): .read(.accounts(after: after, count: count))
        case .addAlias(let address, let targets): .write(.addAlias(address, targets: targets))
        case .removeAlias(let address): .write(.removeAlias(address))
        case .aliases(let after, let count): .read(.aliases(after: after, count: count))
        case .queue(let request): request.step
        }
    }
}

/// What came of a request: rows of fields, or why it failed.
package struct AdministrationResult: Sendable {
    package var rows: [[[UInt8]]] = []
    package var failure: String?

    package init(rows: [[[UInt8]]], failure: String?) {
        self.rows = rows
        self.failure = failure
    }

    /// The failure of a question about a message that is not there (any more).
    package static let notQueued = "there is no such message in the queue"

    package init(_ reply: StorageReply) {
        switch reply {
        case .accounts(let accounts):
            self.rows = accounts.map { account in
                [
                    account.address.octets,
                    Array((account.quota.map(String.init) ?? "").utf8),
                    Array((account.hasRecoverableSecret ? "apop" : "").utf8),
                    Array(String(account.messages).utf8),
                    Array(String(account.octets).utf8),
                ]
            }
        case .aliases(let aliases):
            self.rows = aliases.map { [$0.address.octets] + $0.targets.map(\.octets) }
        case .queueRows(let page):
            self.rows = QueueAnswer.rows(page)
        case .queueMessage(let detail?):
            self.rows = QueueAnswer.rows(detail)
        case .queueMessage(nil):
            self.failure = Self.notQueued
        case .queueChanged(.queueChanged(let count, let next)):
            self.rows = QueueAnswer.rows(changed: count, next: next)
        case .written(.failed(let error), _), .queueChanged(.failed(let error)),
            .failed(let error):
            self.failure = error.sentence
        default:
            break
        }
    }
}

extension StoreError {
    /// The error as an operator reads it.
    package var sentence: String {
        switch self {
        case .full: "the disk is full"
        case .exists: "there is an account or alias of that address already"
        case .notFound, .gone: "there is no such account or alias"
        case .aliasLoop: "the aliases would lead in a circle"
        case .inUse(let why), .foreign(let why), .retryable(let why): why
        case .fenced: "the maildrop has been made anew"
        case .overQuota: "the maildrop is full"
        }
    }
}
