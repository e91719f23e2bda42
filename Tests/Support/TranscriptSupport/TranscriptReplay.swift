// SPDX-License-Identifier: Apache-2.0
//
// The three ways in which octets reach a session: a line at a time, an octet at a time, and all
// that may be said at once. Each must come to the same.

/// A session with its input queue and the trace of all it did.
public protocol ReplayedSession: AnyObject {
    /// Replies as `S:` lines and effects as `!:` lines.
    var trace: [String] { get }
    /// Whether the session has ended.
    var isClosed: Bool { get }
    func feed(_ octets: [UInt8])
    func answer(_ text: String)
    func happen(_ event: String)
}

/// How the client's octets are cut.
public enum Segmentation: CaseIterable, Sendable {
    case wholeLines
    case octetByOctet
    case pipelined
}

extension Transcript {
    /// Replays the conversation with a fresh session.
    ///
    /// `check` gets the trace so far and what it must be: before each thing that happens, so that
    /// a reply that comes too early is noticed, and at the end. Pipelined, only the end counts.
    public func replay(
        on session: some ReplayedSession,
        _ segmentation: Segmentation,
        check: ([String], [String]) -> Void
    ) {
        var expected: [String] = []
        for (index, item) in self.items.enumerated() {
            if case .expected(let line) = item {
                expected.append(line)
                continue
            }
            if segmentation != .pipelined { check(session.trace, expected) }
            switch item {
            case .input(let octets):
                switch segmentation {
                case .wholeLines: session.feed(octets)
                case .octetByOctet: for octet in octets { session.feed([octet]) }
                case .pipelined:
                    if self.beginsGroup(at: index) { session.feed(self.group(from: index)) }
                }
            case .answer(let text): session.answer(text)
            case .event(let text): session.happen(text)
            case .expected: break
            }
        }
        check(session.trace, expected)
    }

    /// Whether this is the first input, or the first since something else happened.
    private func beginsGroup(at index: Int) -> Bool {
        let before = self.items[..<index]
        guard let last = before.lastIndex(where: \.isInput) else { return true }
        return before[last...].contains(where: \.isEvent)
    }

    /// All the client says until something else happens.
    private func group(from start: Int) -> [UInt8] {
        var octets: [UInt8] = []
        for item in self.items[start...] {
            if item.isEvent { break }
            if case .input(let more) = item { octets += more }
        }
        return octets
    }
}
