// SPDX-License-Identifier: Apache-2.0
//
// How input comes to the handler. The descriptor is watched for reading until octets come that
// nobody wants yet; then it is watched no more until the handler resumes, and the system makes the
// peer wait. Most suspensions are over before the peer says more, and cost nothing.

internal import CLibevent
internal import Glibc

extension LoopStream {
    /// The descriptor can be read.
    func readable() {
        self.loop.beginTurn()
        if self.isSecuring { return self.helloArrived() }
        switch (self.state, self.intake) {
        case (.dead, _): break
        case (.open, .suspended): self.setReading(false)
        case (.open, .flowing):
            // One that has yielded gets its share at the end of the turn.
            if !self.isReady { self.receive() }
        case (.open, .finished), (.closing, _), (.lingering, _): self.throwAway()
        }
    }

    /// The share of a stream that has yielded or was resumed.
    func deliverAgain() {
        self.isReady = false
        guard self.state == .open, self.intake == .flowing, !self.isSecuring,
            let handler = self.handler
        else { return }
        // The array is held here, because the handler may close the stream.
        let octets = self.unread.octets
        let rest = octets.span.extracting(self.unread.start...)
        let consumed = self.show(rest, to: handler)
        if !self.unread.isEmpty { self.unread.consume(consumed) }
        self.settle()
    }

    func resume() {
        // From within `received`, it takes back the suspension that the call is about to return.
        self.wasResumed = true
        guard self.intake == .suspended, self.state == .open else { return }
        self.intake = .flowing
        self.redeliverSoon()
    }

    private func receive() {
        let kept = self.unread.count
        guard let handler = self.handler, kept < Self.unreadOctetsMax else {
            return self.setReading(false)
        }
        let buffer = unsafe self.loop.inputBuffer
        let wanted = min(max(self.receiveOctetsLimit ?? .max, 1), Self.receiveOctetsMax)
        let count = unsafe recv(self.descriptor, buffer + kept, wanted, 0)
        guard count >= 0 else {
            if errno != EAGAIN, errno != EINTR { self.abort() }
            return
        }
        guard count > 0 else {
            // All before the end has been shown: nothing is received while anything is not.
            self.endInput()
            return handler.inputEnded(self)
        }
        self.deliver(kept: kept, received: count, to: handler)
    }

    /// TLS octets have been received, and decrypted into the bufferevent.
    ///
    /// None may stay there: libevent would not always tell of those that it adds to others.
    func securedReadable() {
        self.loop.beginTurn()
        guard let output = unsafe self.output, let input = unsafe bufferevent_get_input(output)
        else { return }
        let kept = self.unread.count
        guard self.state == .open, self.intake != .finished, let handler = self.handler else {
            unsafe evbuffer_drain(input, evbuffer_get_length(input))
            return
        }
        let buffer = unsafe self.loop.inputBuffer
        let count = unsafe Int(evbuffer_remove(input, buffer + kept, Self.receiveOctetsMax))
        guard count > 0 else { return }
        guard self.intake == .flowing, !self.isReady else {
            // Nobody wants them yet; no more come after these until somebody does.
            let octets = unsafe Span(_unsafeStart: buffer + kept, count: count)
            self.unread.append(octets)
            if self.intake == .suspended || self.unread.count >= Self.unreadOctetsMax {
                self.setReading(false)
            }
            return
        }
        self.deliver(kept: kept, received: count, to: handler)
    }

    /// Shows the handler what was received, which is in the loop's buffer behind room for what was
    /// kept, and keeps what it leaves.
    private func deliver(kept: Int, received count: Int, to handler: any StreamHandler) {
        let buffer = unsafe self.loop.inputBuffer
        if kept > 0 {
            unsafe self.unread.copy(to: buffer)
            self.unread.removeAll()
        }
        let octets = unsafe Span(_unsafeStart: buffer, count: kept + count)
        let consumed = self.show(octets, to: handler)
        guard self.state == .open else { return }
        if consumed < octets.count { self.unread.replace(with: octets.extracting(consumed...)) }
        self.settle()
    }

    /// Lets the handler consume, and returns how much it did.
    private func show(_ octets: borrowing Span<UInt8>, to handler: any StreamHandler) -> Int {
        self.wasResumed = false
        let consumption = handler.received(octets, from: self)
        // What came before TLS is dropped.
        guard !self.isSecuring else { return octets.count }
        switch consumption.next {
        case .awaitMore: break
        case .yield: self.redeliverSoon()
        case .suspend where self.wasResumed: self.redeliverSoon()
        case .suspend: self.intake = .suspended
        case .finished:
            self.intake = .finished
            return octets.count
        }
        return consumption.count
    }

    /// What there is to do when a delivery is over.
    private func settle() {
        guard self.state == .open, self.intake != .suspended, !self.isReady, !self.isSecuring else {
            return
        }
        self.tellEnd()
        self.setReading(self.unread.count < Self.unreadOctetsMax)
    }

    /// Tells of an end that came while input was still held back.
    func tellEnd() {
        guard self.endIsUntold, self.state == .open, self.intake != .suspended, !self.isReady else {
            return
        }
        self.endIsUntold = false
        self.handler?.inputEnded(self)
    }

    private func redeliverSoon() {
        guard !self.isReady else { return }
        self.isReady = true
        self.loop.makeReady(self)
    }

    private func throwAway() {
        let buffer = unsafe self.loop.inputBuffer
        let count = unsafe recv(self.descriptor, buffer, Self.receiveOctetsMax, 0)
        if count > 0 || count < 0 && (errno == EAGAIN || errno == EINTR) { return }
        guard count == 0, self.state != .lingering else { return self.abort() }
        self.endInput()
        if self.state == .open { self.handler?.inputEnded(self) }
    }

    private func endInput() {
        self.inputHasEnded = true
        self.setReading(false)
    }

    func setReading(_ reading: Bool) {
        guard let event = unsafe self.readEvent, self.isReading != reading else { return }
        guard !reading || !self.inputHasEnded else { return }
        self.isReading = reading
        if let output = unsafe self.output, self.security?.readsDescriptor == true {
            unsafe _ =
                reading
                ? bufferevent_enable(output, Int16(EV_READ))
                : bufferevent_disable(output, Int16(EV_READ))
        } else if reading {
            unsafe event_add(event, nil)
        } else {
            unsafe event_del(event)
        }
    }
}
