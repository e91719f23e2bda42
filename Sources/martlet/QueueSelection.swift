// SPDX-License-Identifier: Apache-2.0
//
// Which part of the queue a command is about.

internal import ArgumentParser
internal import EventLoop
internal import MailStore
internal import MailSyntax
internal import Resolver

struct QueueSelection: ParsableArguments {
    @Argument(help: "Message ids, as `martlet queue list` prints them.") var ids: [String] = []

    @Option(help: "Recipients at that domain, or address literal.") var domain: String?

    @Option(help: ArgumentHelp("Messages from that sender; <> for reports.", valueName: "address"))
    var sender: String?

    @Option(help: ArgumentHelp("That recipient.", valueName: "address")) var recipient: String?

    @Option(
        name: [.customLong("older-than"), .customLong("age")],
        help: ArgumentHelp(
            "Messages queued for at least so long: 90s, 15m, 2h, 3d, 1w.",
            valueName: "age"
        )
    )
    var age: String?

    /// Whether nothing was said about which part is meant.
    var isEmpty: Bool {
        self.ids.isEmpty && self.domain == nil && self.sender == nil && self.recipient == nil
            && self.age == nil
    }

    func validate() throws {
        if let age, QueueText.seconds(age) == nil {
            throw ValidationError("\(age) is no age; write 90s, 15m, 2h, 3d or 1w")
        }
        for id in self.ids where MessageID(text: id.uppercased()) == nil {
            throw ValidationError("\(id) is not the id of a message")
        }
    }

    /// One selector for each id, or one for all messages.
    func selectors() -> [QueueSelector] {
        var selector = QueueSelector()
        selector.destination = self.domain.map { domain in
            Array((DomainName.ascii(domain) ?? domain).lowercased().utf8)
        }
        selector.sender = self.sender.map(Self.mailbox)
        selector.recipient = self.recipient.map(Self.mailbox)
        selector.queuedUntil = self.age.flatMap(QueueText.seconds).map { WallClock.seconds - $0 }
        guard !self.ids.isEmpty else { return [selector] }
        return self.ids.map { id in
            var selector = selector
            selector.message = MessageID(text: id.uppercased())
            return selector
        }
    }

    /// A mailbox with or without the brackets of a path.
    private static func mailbox(_ text: String) -> [UInt8] {
        guard text.hasPrefix("<"), text.hasSuffix(">"), text.count > 1 else {
            return Array(text.utf8)
        }
        return Array(text.dropFirst().dropLast().utf8)
    }
}
