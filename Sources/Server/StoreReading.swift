// SPDX-License-Identifier: Apache-2.0
//
// Answers the loop's questions from the store's reader. It blocks, so it runs on the reader's
// thread; the simulation calls it as well.

internal import MailBytes
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
            case .waitingDestinations, .dueDestinations, .dueMessages, .queuedContent, .reportsDue,
                .expiring, .warnable,
                .queueRows, .queueMessage:
                return try self.answerOfQueue(question)
            }
        } catch {
            return .failed(error)
        }
    }

    private func answerOfQueue(_ question: StoreQuestion) throws(StoreError) -> StorageReply {
        switch question {
        case .waitingDestinations(let names, let below, let max):
            return .waitingDestinations(
                try self.reader.waitingDestinations(names, below: below, max: max)
            )
        case .dueDestinations(let now, let max, let excluding):
            let found = try self.reader.dueDestinations(now: now, max: max, excluding: excluding)
            return .dueDestinations(found.due, nextAt: found.nextAt)
        case .dueMessages(let query):
            let found = try self.reader.dueMessages(query)
            return .dueMessages(destination: query.destination, found)
        case .queuedContent(let id, let offset, let max):
            var octets: [UInt8] = []
            let isLast = try self.reader.queuedContent(id, offset: offset, max: max, into: &octets)
            return .queuedContent(octets, isLast: isLast)
        case .reportsDue(let after, let max):
            return .reportsDue(try self.reader.reportsDue(after: after, max: max))
        case .expiring(let now, let max, let excluding):
            let found = try self.reader.expiring(now: now, max: max, excluding: excluding)
            return .queueWatch(found)
        case .warnable(let now, let max, let excluding):
            let found = try self.reader.warnable(now: now, max: max, excluding: excluding)
            return .queueWatch(found)
        case .queueRows(let selector, let after, let count):
            let page = try self.reader.queueRows(selector, after: after, count: count)
            return .queueRows(page)
        case .queueMessage(let id, let after, let count):
            let detail = try self.reader.queueMessage(id, after: after, count: count)
            return .queueMessage(detail)
        case .resolve, .expand, .account, .maildrop, .listing, .content, .accounts, .aliases,
            .accountKinds:
            return .failed(.notFound)
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
        guard question.following.isEmpty else { return try self.contents(question) }
        var octets: [UInt8] = []
        let isLast = try self.reader.read(
            question.account,
            sequence: question.sequence,
            offset: question.offset,
            max: question.octetsMax,
            into: &octets
        )
        let range = ByteRange(0, octets.count)
        let part = ContentPart(range, of: octets.span, isLast: isLast)
        return .content(ReadContent(octets: octets, part: part, following: []))
    }

    /// The message asked for and those that follow it.
    private func contents(_ question: ContentQuestion) throws(StoreError) -> StorageReply {
        var octets: [UInt8] = []
        octets.reserveCapacity(question.wholeOctets)
        let sequences = [question.sequence] + question.following
        let ends = try self.reader.readWhole(
            question.account,
            sequences: sequences,
            octetsMax: question.wholeOctets,
            into: &octets
        )
        guard !ends.isEmpty else { throw .gone }
        var parts: [(sequence: UInt32, part: ContentPart)] = []
        parts.reserveCapacity(ends.count)
        var start = 0
        for (sequence, end) in zip(sequences, ends) {
            let part = ContentPart(ByteRange(start, end), of: octets.span, isLast: true)
            parts.append((sequence, part))
            start = end
        }
        let first = parts.removeFirst().part
        return .content(ReadContent(octets: octets, part: first, following: parts))
    }
}
