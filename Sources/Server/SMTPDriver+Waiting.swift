// SPDX-License-Identifier: Apache-2.0
//
// When a session goes on: the greeting with what comes before it, TLS, and what makes a client
// wait.

internal import EventLoop
internal import SMTPProtocol

extension SMTPDriver {
    // MARK: - Greeting and TLS

    func begin() {
        if self.profile.isTLSImplicit { self.startTLS() } else { self.greetSoon() }
    }

    private func greetSoon() {
        let seconds = self.server.limits.greetingDelaySeconds
        guard seconds > 0, self.profile.service == .smtp, !self.server.isExempt(self.stream.client)
        else { return self.greet() }
        self.greeting = .delayed
        self.stream.setDeadline(seconds: seconds)
    }

    func greet() {
        self.greeting = .sent
        // Within TLS it depends on the peer's segments whether its words are there already.
        let earlyTalk = !self.profile.isTLSImplicit && self.stream.hasReadableInput
        self.deliver(.accepted(earlyTalk: earlyTalk))
    }

    func startTLS() {
        guard let tls = self.profile.tls else { return self.stream.abort() }
        // What was said in clear, a login too, does not count any more.
        self.account = nil
        self.stream.startTLS(tls)
    }

    func secured(_ stream: any ByteStream) {
        guard !self.isClosing else { return }
        let facts = stream.channelFacts
        self.deliver(
            .secured(
                hasClientCertificate: facts.hasClientCertificate,
                bindsChannel: facts.bindsChannel
            )
        )
        if self.greeting == .due { self.greetSoon() }
    }

    // MARK: - Waiting

    var isAsking: Bool {
        if case .nothing = self.asked { return false }
        return true
    }

    /// Whether the peer must wait: it does not read, or the store has not taken its content.
    var isHeldBack: Bool { self.isBlocked || self.isCongested || self.isTarpitted }

    /// Lets a client that gets everything wrong wait before it is heard again.
    func slowDown() {
        let errors = self.session.errorCount
        guard let seconds = self.tarpit.pause(after: errors, limits: self.server.limits.tarpit),
            !self.server.isExempt(self.stream.client)
        else { return }
        self.isTarpitted = true
        self.server.time.after(seconds: seconds) { [weak self] in
            self?.isTarpitted = false
            self?.resumeIfFree()
        }
    }

    /// The stream calls `received` at the end of this turn.
    func resume(with answer: ReadyAnswer) {
        self.ready = answer
        self.stream.resume()
    }

    /// The same, unless there is another question.
    func resume(withOutcome answer: ReadyAnswer?) {
        if let answer { self.resume(with: answer) }
    }

    func resumeIfFree() {
        guard !self.isHeldBack, !self.isAsking, !self.isClosing else { return }
        self.stream.resume()
    }

    func armDeadline() {
        let limits = self.server.limits
        guard self.pace.isRunning, !self.isAsking else {
            return self.stream.setDeadline(seconds: limits.idleSeconds)
        }
        let seconds = self.pace.nextCheck(at: self.server.time.now, limits: limits)
        self.stream.setDeadline(seconds: seconds)
    }
}
