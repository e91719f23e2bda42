// SPDX-License-Identifier: Apache-2.0
//
// What waits for hosts elsewhere: listed, shown, and changed, beside the running server or without
// it. A part of the queue goes through in pages, so that mail does not wait for the command.

internal import ArgumentParser
internal import Configuration
internal import EventLoop
internal import MailStore
internal import MailSyntax
internal import Server

struct Queue: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, show and change what waits for delivery to other hosts.",
        discussion: "Works while the server runs, over its control socket, and while it does not.",
        subcommands: [
            List.self, Show.self, Retry.self, Hold.self, Release.self, Remove.self,
        ]
    )

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List recipients in the queue.")

        @OptionGroup var selection: QueueSelection
        @Flag(help: "One JSON object a line, for each recipient.") var json = false
        @OptionGroup var configuration: ConfigurationOption

        func run() throws {
            try Complaint.handling {
                let configuration = try self.configuration.load()
                var listing = QueueListing(now: WallClock.seconds)
                for selector in self.selection.selectors() {
                    try Queue.pages(of: selector, configuration) { row in
                        if self.json { QueueJSON.print(row) } else { listing.print(row) }
                    }
                }
                if !self.json { listing.printTotals() }
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a message with its recipients and each attempt to deliver it."
        )

        @Argument(help: "The id of the message.") var id: String
        @Flag(help: "One JSON object.") var json = false
        @OptionGroup var configuration: ConfigurationOption

        func validate() throws {
            guard MessageID(text: self.id.uppercased()) != nil else {
                throw ValidationError("\(self.id) is not the id of a message")
            }
        }

        func run() throws {
            try Complaint.handling {
                let configuration = try self.configuration.load()
                guard let id = MessageID(text: self.id.uppercased()) else { return }
                let detail = try Queue.detail(of: id, configuration)
                if self.json {
                    QueueJSON.print(detail)
                } else {
                    QueueListing(now: WallClock.seconds).print(detail)
                }
            }
        }
    }

    struct Retry: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Try recipients now, and end the rest of their destinations."
        )

        @OptionGroup var change: QueueChanging

        func run() throws { try self.change.run(.retry, "to be tried now") }
    }

    struct Hold: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Hold recipients: they are not tried and do not expire.",
            discussion: "A delivery that is under way ends as it ends."
        )

        @OptionGroup var change: QueueChanging

        func run() throws { try self.change.run(.hold, "held") }
    }

    struct Release: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Release recipients that are held; they are tried now."
        )

        @OptionGroup var change: QueueChanging

        func run() throws { try self.change.run(.release, "released") }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove recipients from the queue; their mail is not delivered.",
            discussion: """
                Senders are not told, unless --bounce asks for it; then those are told who have \
                not asked for silence (NOTIFY=NEVER), and reports are removed without a word.
                """
        )

        @Flag(help: "Report the failure to the senders.") var bounce = false
        @OptionGroup var change: QueueChanging

        func run() throws { try self.change.run(.remove(reporting: self.bounce), "removed") }
    }
}

/// What all commands have in common that change the queue.
struct QueueChanging: ParsableArguments {
    @OptionGroup var selection: QueueSelection
    @Flag(help: "The whole queue.") var all = false
    @OptionGroup var configuration: ConfigurationOption

    func validate() throws {
        guard self.selection.isEmpty == self.all else {
            throw ValidationError(
                self.all
                    ? "--all means the whole queue; leave it out, or the other conditions"
                    : "say which part of the queue: ids, --domain, --sender, --recipient, "
                        + "--older-than, or --all"
            )
        }
    }

    /// Carries a change out and says how many recipients it met.
    func run(_ change: QueueChange, _ participle: String) throws {
        try Complaint.handling {
            let configuration = try self.configuration.load()
            var count = 0
            var missing: [String] = []
            for selector in self.selection.selectors() {
                let changed = try Queue.change(change, selector, configuration)
                count += changed
                // What is there and needs no change is no failure.
                if changed == 0, let id = selector.message,
                    try !Queue.isQueued(id, configuration)
                {
                    missing.append("\(id.text): \(AdministrationResult.notQueued)")
                }
            }
            print("\(QueueText.count(count, "recipient")) \(participle)")
            guard missing.isEmpty else { throw Complaint(exitCode: .noInput, lines: missing) }
        }
    }
}

extension Queue {
    // MARK: - Requests

    /// Gives all rows that a selector means to `body`, a page at a time.
    static func pages(
        of selector: QueueSelector,
        _ configuration: Configuration,
        _ body: (QueueRow) -> Void
    ) throws {
        var after: QueuePosition?
        repeat {
            let request = QueueRequest.list(selector, after: after, count: QueueRequest.rowsMax)
            let page = QueueAnswer.page(try self.ask(request, configuration))
            page.rows.forEach(body)
            after = page.next
        } while after != nil
    }

    /// A message with all its recipients.
    static func detail(of id: MessageID, _ configuration: Configuration) throws -> QueueDetail {
        var recipients: [QueueDetail.Recipient] = []
        var after: Int?
        while true {
            let request = QueueRequest.show(id, after: after, count: QueueRequest.rowsMax)
            let rows = try self.ask(request, configuration)
            guard let detail = QueueAnswer.detail(rows) else {
                throw Complaint(.unavailable, "the server's answer cannot be read")
            }
            recipients += detail.recipients
            after = detail.next
            guard after == nil else { continue }
            return QueueDetail(
                message: detail.message,
                submitter: detail.submitter,
                recipients: recipients,
                next: nil
            )
        }
    }

    /// Changes what a selector means; returns how many recipients were changed.
    static func change(
        _ change: QueueChange,
        _ selector: QueueSelector,
        _ configuration: Configuration
    ) throws -> Int {
        let now = WallClock.seconds
        var count = 0
        var after: QueuePosition?
        repeat {
            let request = QueueRequest.change(change, selector, after: after, now: now)
            let answer = QueueAnswer.changed(try self.ask(request, configuration))
            count += answer.count
            after = answer.next
        } while after != nil
        return count
    }

    static func isQueued(_ id: MessageID, _ configuration: Configuration) throws -> Bool {
        let request = QueueRequest.show(id, after: nil, count: 1)
        let results = try Administration.perform([.queue(request)], configuration)
        return results.first?.failure == nil
    }

    private static func ask(
        _ request: QueueRequest,
        _ configuration: Configuration
    ) throws -> [[[UInt8]]] {
        let results = try Administration.perform([.queue(request)], configuration)
        guard let failure = results.first?.failure else { return results.first?.rows ?? [] }
        let isMissing = failure == AdministrationResult.notQueued
        throw Complaint(isMissing ? .noInput : .temporaryFailure, failure)
    }
}
