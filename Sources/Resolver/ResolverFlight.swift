// SPDX-License-Identifier: Apache-2.0
//
// One question on its way, and everybody who waits for its answer.

internal import DNSProtocol
internal import EventLoop

/// A question, from when it is first asked until its answer is handed on.
final class ResolverFlight {
    /// What came of it.
    enum Landing {
        case message(DNSMessage, DNSSECStatus)
        /// Nothing came, and why.
        case failure(String)
        /// It was none: what is asked for cannot be a name.
        case noName
    }

    typealias Listener = (DNSAnswer, DNSMessage?) -> Void

    let question: DNSQuestion
    /// The context that was asked; nil while the question waits.
    var context: UnboundContext?
    /// libunbound's number of the question, as long as it can be cancelled.
    var number: Int32?
    /// Fires when the answer takes too long.
    var deadline: Timer?
    private(set) var landing: Landing?
    private var listeners: [(query: ResolverQuery, listener: Listener)] = []
    /// Told of the landing, inside libunbound's callback; nil once nobody wants to know.
    private var landed: ((ResolverFlight) -> Void)?

    init(_ question: DNSQuestion, landed: @escaping (ResolverFlight) -> Void) {
        self.question = question
        self.landed = landed
    }

    var isAwaited: Bool { !self.listeners.isEmpty }

    func add(_ query: ResolverQuery, _ listener: @escaping Listener) {
        self.listeners.append((query, listener))
    }

    func remove(_ query: ResolverQuery) { self.listeners.removeAll { $0.query == query } }

    /// Takes one who waits, for the answer to be handed on.
    func takeListener() -> (query: ResolverQuery, listener: Listener)? {
        self.listeners.isEmpty ? nil : self.listeners.removeFirst()
    }

    func land(_ landing: Landing) {
        guard self.landing == nil else { return }
        self.landing = landing
        self.number = nil
        self.landed?(self)
        self.landed = nil
    }

    /// Nothing that happens from now on is told to anybody.
    func abandon() {
        self.landed = nil
        self.deadline?.cancel()
        self.deadline = nil
        self.context?.cancel(self)
    }

    /// The answer in either form.
    var answer: (DNSAnswer, DNSMessage?) {
        switch self.landing {
        case .message(let message, let security):
            (DNSAnswer(self.question, message: message, security: security), message)
        case .failure(let why): (self.failure(why), nil)
        case .noName:
            (
                DNSAnswer(
                    name: self.question.name,
                    type: self.question.type,
                    outcome: .noSuchName
                ), nil
            )
        case nil: (self.failure("there is no answer yet"), nil)
        }
    }

    private func failure(_ why: String) -> DNSAnswer {
        DNSAnswer(name: self.question.name, type: self.question.type, outcome: .failed(why))
    }
}
