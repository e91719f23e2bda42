// SPDX-License-Identifier: Apache-2.0
//
// Connections: who is served, by which driver, and for whom; and how they end.

internal import Delivery
package import EventLoop
internal import MailBytes

extension MailServer {
    /// So many control connections may be open.
    private static let controlConnectionsMax = 16

    /// Serves a connection that a listener accepted, or refuses it.
    package func accept(_ stream: any ByteStream, for profile: ServiceProfile) {
        guard !self.isStopping else { return self.refuse(stream, profile, .stopping) }
        guard self.conversations.count - self.controlCount < self.limits.connections else {
            return self.refuse(stream, profile, .connections)
        }
        guard profile.expectsPROXYHeader else { return self.admit(stream, for: profile) }
        guard self.isTrustedProxy(stream.peer) else {
            self.journal.connectionRefused(stream, profile.name, "trusted-proxies")
            return stream.abort()
        }
        self.begin(PROXYDriver(stream: stream, server: self, profile: profile))
    }

    /// Serves a connection whose client is known, or refuses it.
    private func admit(_ stream: any ByteStream, for profile: ServiceProfile) {
        let refusal = self.admission.enter(
            self.client(of: stream),
            needsLogin: profile.needsLogin,
            at: self.time.now
        )
        self.sweepLater()
        if let refusal { return self.refuse(stream, profile, refusal) }
        let conversation: any Conversation =
            switch profile.service {
            case .smtp, .submission, .lmtp, .odmr:
                SMTPDriver(stream: stream, server: self, profile: profile)
            case .pop3: POP3Driver(stream: stream, server: self, profile: profile)
            }
        self.journal.sessionBegan(stream, profile.name)
        self.begin(conversation)
    }

    /// A proxy has said whose connection it is: that client is judged and served now.
    func proxied(_ driver: PROXYDriver, for profile: ServiceProfile) {
        guard self.conversations.remove(driver.stream.id) else { return }
        driver.stream.handler = nil
        self.admit(driver.stream, for: profile)
        self.callWhenEmpty()
    }

    /// The peer of a connection speaks for another client from now on; false when that one would
    /// not have been let in.
    func adopt(
        _ client: NetworkAddress,
        on stream: any ByteStream,
        for profile: ServiceProfile
    ) -> Bool {
        let old = self.client(of: stream)
        let former = stream.client
        stream.client = client
        let new = self.client(of: stream)
        if self.admission.move(from: old, to: new, needsLogin: profile.needsLogin) { return true }
        stream.client = former
        return false
    }

    private func client(of stream: any ByteStream) -> Admission.Client {
        Admission.Client(
            key: stream.client.clientKey,
            isExempt: self.isExempt(stream.client),
            isBanned: self.authenticator.isBanned(stream)
        )
    }

    /// Serves a connection of the control socket, or refuses it: only root and the user that runs
    /// the server may administer it, whatever the permissions of the file.
    package func acceptControl(_ stream: any ByteStream) {
        guard let user = stream.peerUser, user == 0 || user == self.controlUser,
            self.controlCount < Self.controlConnectionsMax
        else {
            self.journal.connectionRefused(stream, "control", "not permitted, or too many")
            return stream.close()
        }
        self.controlCount += 1
        self.begin(ControlDriver(stream: stream, server: self))
    }

    private func begin(_ conversation: any Conversation) {
        self.conversations.insert(conversation)
        conversation.stream.handler = conversation
        conversation.begin()
    }

    private func refuse(
        _ stream: any ByteStream,
        _ profile: ServiceProfile,
        _ why: ServiceProfile.Refusal
    ) {
        self.journal.connectionRefused(stream, profile.name, why.rawValue)
        // Where TLS comes first, nothing can be said before it.
        guard !profile.isTLSImplicit else { return stream.abort() }
        var replies = self.takeReplies()
        replies.append(profile.refusal(why))
        stream.send(replies.span)
        replies.removeAll()
        self.putBack(replies)
        stream.close()
    }

    /// A driver's connection is gone.
    func ended(_ conversation: any Conversation) {
        let stream = conversation.stream
        guard self.conversations.remove(stream.id) else { return }
        switch conversation {
        case is ControlDriver:
            self.controlCount -= 1
        case is PROXYDriver:
            break
        default:
            self.admission.leave(self.client(of: stream))
            self.journal.sessionEnded(stream)
        }
        self.callWhenEmpty()
    }

    /// A client wants its mail on the connection of that driver, which is over.
    func turnAround(_ conversation: any Conversation, for destinations: [Destination]) {
        let stream = conversation.stream
        guard self.conversations.remove(stream.id) else { return }
        self.admission.leave(self.client(of: stream))
        self.journal.sessionEnded(stream)
        stream.handler = nil
        if let delivery = self.delivery {
            delivery.turnAround(stream, for: destinations)
        } else {
            stream.abort()
        }
        self.callWhenEmpty()
    }

    private func callWhenEmpty() {
        if self.isStopping, self.conversations.count == 0 { self.whenEmpty?() }
    }
}
