// SPDX-License-Identifier: Apache-2.0
//
// The way of a stream into TLS: what is pending goes out in clear, then the client's hello is
// waited for, at the price of a plain connection; then, in its turn, the handshake begins on
// libevent's TLS bufferevent, which takes over the descriptor.

internal import CLibevent
internal import Glibc

extension LoopStream {
    /// Whether TLS is asked for and not there yet.
    var isSecuring: Bool { self.security?.isPending ?? false }

    func startTLS(_ service: TLSService) {
        guard self.state == .open else { return }
        precondition(self.security == nil, "a stream speaks TLS once")
        // What came before TLS may be another's (CVE-2011-0411), and is answered by nobody.
        self.unread.removeAll()
        self.intake = .flowing
        self.setReading(false)
        self.security = StreamSecurity(service)
        self.loop.handshakes.begun += 1
        guard !self.inputHasEnded else { return self.abort() }
        self.moveDeadline(self.loop.handshakeSecondsMax)
        if self.pendingOutputCount == 0, !self.isConnecting { self.awaitHello() }
    }

    /// All that was said in clear is out.
    func awaitHello() {
        guard let security = self.security, security.phase == .flushing else { return }
        self.freeOutput()
        if security.service.isClient { return self.beginHandshake() }
        security.phase = .awaitingHello
        self.setReading(true)
    }

    /// The client has begun to speak, or is gone.
    func helloArrived() {
        guard let security = self.security, security.phase == .awaitingHello else { return }
        var octet: UInt8 = 0
        let count = unsafe recv(self.descriptor, &octet, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        guard count != 0 else { return self.abort() }
        guard count > 0 else {
            if errno != EAGAIN, errno != EINTR { self.abort() }
            return
        }
        self.setReading(false)
        security.phase = .queued
        self.loop.queueHandshake(of: self)
    }

    /// Whether the stream still waits for its turn.
    var awaitsHandshake: Bool { self.state == .open && self.security?.phase == .queued }

    func beginHandshake() {
        guard self.state == .open, let security = self.security,
            let connection = unsafe security.begin()
        else { return self.abort() }
        let role =
            security.service.isClient ? BUFFEREVENT_SSL_CONNECTING : BUFFEREVENT_SSL_ACCEPTING
        // Neither the descriptor nor the connection is given away: the stream frees both.
        guard
            let bufferevent = unsafe bufferevent_openssl_socket_new(
                self.loop.base,
                self.descriptor,
                connection,
                role,
                0
            )
        else { return self.abort() }
        unsafe self.output = bufferevent
        security.phase = .handshaking
        self.isReading = true
        unsafe bufferevent_setcb(
            bufferevent,
            { _, context in unsafe LoopStream.from(context)?.securedReadable() },
            { _, context in unsafe LoopStream.from(context)?.drained() },
            { _, what, context in unsafe LoopStream.from(context)?.securityHappened(Int32(what)) },
            Unmanaged.passUnretained(self).toOpaque()
        )
        unsafe bufferevent_enable(bufferevent, Int16(EV_READ | EV_WRITE))
    }

    /// The handshake is over, the peer has ended its output, or the connection is broken.
    private func securityHappened(_ what: Int32) {
        self.loop.beginTurn()
        guard let security = self.security, self.state != .dead else { return }
        switch security.phase {
        case .handshaking where what & BEV_EVENT_CONNECTED != 0: self.handshakeDone(security)
        case .handshaking: self.handshakeFailed(security)
        case .secured where what & BEV_EVENT_EOF != 0: self.securedInputEnded()
        case .secured:
            // After a failure OpenSSL must not be asked for more.
            security.phase = .over
            self.abort()
        case .flushing, .awaitingHello, .queued, .over: break
        }
    }

    private func handshakeDone(_ security: StreamSecurity) {
        security.phase = .secured
        self.moveDeadline(nil)
        self.loop.handshakes.done += 1
        if security.isResumed { self.loop.handshakes.resumed += 1 }
        self.handler?.secured(self)
    }

    /// The alert that says why is out; the client should read it before a reset.
    private func handshakeFailed(_ security: StreamSecurity) {
        if let output = unsafe self.output {
            let code = unsafe bufferevent_get_openssl_error(output)
            let words = code == 0 ? "the peer left" : OpenSSLErrors.text(of: UInt(code))
            security.failure = security.verificationFailure ?? words
        }
        OpenSSLErrors.clear()
        self.noteFailedHandshake()
        self.state = .closing
        self.linger()
    }

    /// Of a handshake that will not be done; later calls change nothing.
    func noteFailedHandshake() {
        guard let security = self.security, security.isPending else { return }
        self.loop.handshakes.failed += 1
        // The bufferevent reads no more.
        self.setReading(false)
        security.phase = .over
    }

    /// The peer has sent its close_notify, or has shut down its side of the connection.
    ///
    /// libevent stops writing as well then, but what is pending should still go out.
    private func securedInputEnded() {
        self.isReading = false
        self.inputHasEnded = true
        guard let output = unsafe self.output else { return }
        unsafe bufferevent_disable(output, Int16(EV_READ))
        if self.pendingOutputCount > 0 { unsafe bufferevent_enable(output, Int16(EV_WRITE)) }
        guard self.state == .open else { return }
        self.endIsUntold = true
        self.tellEnd()
    }

    /// Sends within TLS; the rest, if any, is for the bufferevent to send.
    func sendSecured(_ octets: UnsafeBufferPointer<UInt8>) {
        guard let security = self.security, security.phase == .secured,
            let output = unsafe self.output, let start = octets.baseAddress
        else { return }
        var sent = 0
        if self.pendingOutputCount == 0 {
            guard let count = unsafe security.send(octets) else {
                security.phase = .over
                return self.abort()
            }
            sent = count
        }
        // OpenSSL may have begun a record with what is left, and wants to see it again from its
        // first octet on, in one piece: an empty buffer takes it as one.
        guard sent < octets.count else { return }
        unsafe bufferevent_write(output, start + sent, octets.count - sent)
        if self.inputHasEnded { unsafe bufferevent_enable(output, Int16(EV_WRITE)) }
    }

    /// The last word within TLS.
    ///
    /// What the peer still sends is thrown away as it comes.
    func endSecurity() {
        guard let security = self.security, let output = unsafe self.output else { return }
        security.sendCloseNotify()
        self.setReading(false)
        unsafe bufferevent_disable(output, Int16(EV_READ | EV_WRITE))
        security.phase = .over
    }

    // MARK: - ByteStream

    var tls: TLSFacts? { self.security?.facts }

    func channelBinding(_ kind: ChannelBinding) -> [UInt8]? {
        self.security?.channelBinding(kind)
    }

    var handshakeFailure: String? { self.security?.failure }
}
