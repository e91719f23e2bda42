// SPDX-License-Identifier: Apache-2.0
//
// ETRN and ATRN: which domains a client may have the mail of, what waits for them, and that it is
// to go now. Nothing that waits for a domain rests any more once it was asked for.

internal import Delivery
internal import EventLoop
internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import SMTPProtocol

/// Mail that is being fetched, while the store is asked.
struct MailFetch {
    enum Command {
        case etrn
        case atrn
    }

    let command: Command
    /// The destinations that have mail, once they were found.
    var destinations: [Destination] = []
    var recipients = 0
    /// Those of them that may still rest.
    var resting: ArraySlice<Destination> = []
}

extension SMTPDriver {
    /// So many destinations are fetched at once.
    private static let destinationsMax = 1000

    // MARK: - What is asked for

    /// ETRN.
    func startQueue(_ scope: SMTPServerSession.QueueScope) -> ReadyAnswer? {
        let question = self.session.recipientUnderQuestion.copy()
        guard let domain = Self.domain(question) else { return .answer(.queueForbidden) }
        switch scope {
        case .domain:
            guard self.mayFetch(domain, by: .etrn) else { return .answer(.queueForbidden) }
            return self.find([domain], below: [], for: .etrn)
        case .domainAndBelow:
            guard self.mayFetchSomething(of: domain) else { return .answer(.queueForbidden) }
            return self.find([domain], below: [domain], for: .etrn)
        }
    }

    /// ATRN.
    func findMail() -> ReadyAnswer? {
        let question = self.session.recipientUnderQuestion.copy()
        guard !question.isEmpty else {
            let kept = self.server.relaying.kept
            return self.find(
                kept.filter { !$0.isBelow }.map(\.domain),
                below: kept.filter(\.isBelow).map(\.domain),
                for: .atrn
            )
        }
        var domains: [[UInt8]] = []
        for name in question.split(separator: UInt8(ascii: ",")) {
            guard let domain = Self.domain(Array(name)), self.mayFetch(domain, by: .atrn) else {
                return .answer(.queueForbidden)
            }
            if !domains.contains(domain) { domains.append(domain) }
        }
        return self.find(domains, below: [], for: .atrn)
    }

    /// The canonical form of a domain.
    private static func domain(_ name: [UInt8]) -> [UInt8]? {
        Address(octets: (Array("a@".utf8) + name).span).map { Array($0.domain) }
    }

    private func mayFetch(_ domain: [UInt8], by command: MailFetch.Command) -> Bool {
        switch self.server.relaying.fetchers(String(decoding: domain, as: UTF8.self)) {
        case .nobody: false
        case .anybody: command == .etrn
        case .accounts(let accounts): self.account.map { accounts.contains($0.address) } ?? false
        }
    }

    /// Whether a domain, or one that is kept and lies below it, may be asked for.
    private func mayFetchSomething(of domain: [UInt8]) -> Bool {
        let suffix = [.dot] + domain
        return self.mayFetch(domain, by: .etrn)
            || self.server.relaying.kept.contains { kept in
                let isBelow = kept.domain.suffix(suffix.count).elementsEqual(suffix)
                return (isBelow || kept.domain == domain)
                    && self.mayFetch(
                        kept.isBelow ? [97, .dot] + kept.domain : kept.domain,
                        by: .etrn
                    )
            }
    }

    // MARK: - What is there

    private func find(
        _ names: [[UInt8]],
        below: [[UInt8]],
        for command: MailFetch.Command
    ) -> ReadyAnswer? {
        self.ask(
            .fetching(MailFetch(command: command)),
            .waitingDestinations(names, below: below, max: Self.destinationsMax)
        )
    }

    func goOn(fetching fetch: MailFetch, with reply: StorageReply) -> ReadyAnswer? {
        var fetch = fetch
        switch reply {
        case .waitingDestinations(let found):
            for destination in found where self.mayFetch(destination.name, by: fetch.command) {
                fetch.destinations.append(Destination(destination.name))
                fetch.recipients += destination.recipients
            }
            fetch.resting = fetch.destinations[...]
        case .queueChanged(.queueChanged(_, let next)):
            // There may be more of the same destination than one transaction changes.
            if next == nil { fetch.resting.removeFirst() }
        default:
            return .answer(.temporaryFailure)
        }
        guard let first = fetch.resting.first else { return self.conclude(fetch) }
        self.asked = .fetching(fetch)
        self.server.storage.write(
            .wake(destination: first.octets, now: self.server.time.wallClock),
            for: self.question.next(self.stream.id)
        )
        return nil
    }

    private func conclude(_ fetch: MailFetch) -> ReadyAnswer {
        guard !fetch.destinations.isEmpty else { return .answer(.queueStarted(recipients: 0)) }
        // Without anybody who delivers, the mail goes on waiting.
        guard let delivery = self.server.delivery else { return .answer(.temporaryFailure) }
        switch fetch.command {
        case .etrn: delivery.startQueue(of: fetch.destinations)
        case .atrn: self.fetched = fetch.destinations
        }
        self.server.journal.fetched(
            fetch.destinations.count,
            fetch.recipients,
            self.account?.address,
            stream: self.stream
        )
        return .answer(.queueStarted(recipients: fetch.recipients))
    }

    // MARK: - The turn

    /// Gives the stream to those who deliver, once the reply has been sent and what came before it
    /// is out of the input.
    func turnAround() -> Consumption {
        self.endTransaction()
        self.stream.setDeadline(seconds: nil)
        self.server.turnAround(self, for: self.fetched)
        return Consumption(count: 0, next: .yield)
    }
}
