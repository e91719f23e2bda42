// SPDX-License-Identifier: Apache-2.0
//
// Answers the loop's questions from the store's reader. It blocks, so it runs on the reader's
// thread; the simulation calls it as well.

package import MailStore
internal import MailSyntax
internal import POP3Protocol

/// The reader's side of the questions that drivers ask.
package struct StoreReading {
    let reader: MailStoreReader

    package init(reader: MailStoreReader) {
        self.reader = reader
    }

    /// The answers to several questions, which see one state of the store.
    package func answers(_ questions: [StoreQuestion]) -> [StorageReply] {
        do throws(StoreError) {
            return try self.reader.together { questions.map { self.answer($0) } }
        } catch {
            return questions.map { _ in .failed(error) }
        }
    }

    /// The answer to one question.
    package func answer(_ question: StoreQuestion) -> StorageReply {
        do throws(StoreError) {
            switch question {
            case .resolve(let address, let policy):
                let resolver = AddressResolver(reader: self.reader, policy: policy)
                return .resolved(address, try resolver.resolve(address))
            case .expand(let address, let policy):
                let resolver = AddressResolver(reader: self.reader, policy: policy)
                return .expanded(try resolver.expand(address))
            case .account(let address):
                return .account(try self.reader.account(address))
            case .maildrop(let account):
                return .maildrop(try self.reader.maildropHead(account))
            case .listing(let account, let head):
                return .listing(try self.listing(account, head))
            case .content(let question):
                return try self.content(question)
            case .accounts(let after, let count):
                return .accounts(try self.reader.accounts(after: after, count: count))
            case .aliases(let after, let count):
                return .aliases(try self.reader.aliases(after: after, count: count))
            case .accountKinds:
                return .accountKinds(try self.reader.accountKinds())
            }
        } catch {
            return .failed(error)
        }
    }

    private func listing(
        _ account: AccountID,
        _ head: MaildropHead
    ) throws(StoreError) -> MaildropListing {
        let entries = try self.reader.listing(account, below: head.nextSequence)
        return MaildropListing(
            incarnation: head.incarnation,
            sequences: entries.map(\.sequence),
            octets: entries.map(\.octets)
        )
    }

    private func content(_ question: ContentQuestion) throws(StoreError) -> StorageReply {
        var octets: [UInt8] = []
        let isLast = try self.reader.read(
            question.account,
            sequence: question.sequence,
            offset: question.offset,
            max: question.octetsMax,
            into: &octets
        )
        guard isLast else { return .content(octets, isLast: false, following: []) }
        let following = try self.reader.readWhole(
            question.account,
            sequences: question.following,
            octetsMax: ContentQuestion.followingOctetsMax
        )
        return .content(
            octets,
            isLast: true,
            following: following.map(PrefetchedMessage.init(sequence:octets:))
        )
    }
}
