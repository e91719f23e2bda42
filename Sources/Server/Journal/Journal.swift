// SPDX-License-Identifier: Apache-2.0
//
// The events of sessions that an operator wants to read, as structured lines with the session's id
// on each. They are written straight into the ring, because swift-log's metadata would cost more
// than the session. Neither passwords nor content ever come here.

internal import EventLoop
internal import Logging
internal import MailBytes
internal import MailStore
internal import MailSyntax

/// What the server tells of its sessions.
package final class Journal {
    private let sink: LogSink?
    var line: LogLine

    /// A journal that writes into `sink`; nil: it writes nothing.
    package init(sink: LogSink?) {
        self.sink = sink
        self.line = LogLine(format: sink?.format ?? .text)
    }

    func sessionBegan(_ stream: any ByteStream, _ service: StaticString) {
        guard self.begin(.debug, "session began", stream) else { return }
        self.line.field("service", service)
        self.end()
    }

    func sessionEnded(_ stream: any ByteStream) {
        guard self.begin(.debug, "session ended", stream) else { return }
        self.end()
    }

    func connectionRefused(_ stream: any ByteStream, _ service: StaticString, _ why: String) {
        guard self.begin(.notice, "connection refused", stream) else { return }
        self.line.field("service", service)
        self.line.field(string: "reason", why)
        self.end()
    }

    /// What became of a message that was received whole; the connection may be gone by now.
    func committed(
        _ message: StoreRequest.Append,
        _ answer: StoreAnswer,
        session: ConnectionID,
        client: NetworkAddress?
    ) {
        let maildrops = message.deliveries.count
        let queued = message.queue?.recipients.count { $0.state == .waiting } ?? 0
        // The queue refuses nothing; what the store refuses as a whole is refused for all.
        let missed = answer.undelivered(of: max(maildrops, 1))
        let isStored = maildrops == 0 ? missed.count == 0 : missed.count < maildrops
        let level: Logger.Level = missed.count == 0 ? .info : .warning
        let text: StaticString =
            !isStored ? "message not stored" : maildrops == 0 ? "message queued" : "message stored"
        guard self.begin(level, text, session, client) else { return }
        self.line.field("id") { message.id.append(to: &$0) }
        self.line.field("octets", message.octets)
        self.line.field("from", message.reversePath.span)
        self.line.field("maildrops", max(0, maildrops - missed.count))
        if queued > 0 { self.line.field("recipients", isStored ? queued : 0) }
        if missed.count > 0 { self.line.field("reason", missed.reason) }
        self.end()
    }

    /// Mail that waits is fetched by ETRN or ATRN.
    func fetched(
        _ destinations: Int,
        _ recipients: Int,
        _ account: Address?,
        stream: any ByteStream
    ) {
        guard self.begin(.info, "mail fetched", stream) else { return }
        if let account { self.line.field("user", account.octets.span) }
        self.line.field("destinations", destinations)
        self.line.field("recipients", recipients)
        self.end()
    }

    /// A message that the store would not take while it was being received.
    func contentRefused(_ failure: StaticString, stream: any ByteStream) {
        guard self.begin(.warning, "message not stored", stream) else { return }
        self.line.field("reason", failure)
        self.end()
    }

    func loggedIn(_ name: [UInt8], _ head: MaildropHead, stream: any ByteStream) {
        guard self.begin(.info, "maildrop opened", stream) else { return }
        self.line.field("user", name.span)
        self.line.field("messages", head.count)
        self.line.field("octets", head.octets)
        self.end()
    }

    /// Somebody has logged in by AUTH of SMTP.
    func loggedIn(_ account: Address, stream: any ByteStream) {
        guard self.begin(.info, "logged in", stream) else { return }
        self.line.field("user", account.octets.span)
        self.end()
    }

    /// An account would send more than it may in an hour.
    func rateExceeded(_ account: Address, stream: any ByteStream) {
        guard self.begin(.warning, "account sends too much", stream) else { return }
        self.line.field("user", account.octets.span)
        self.end()
    }

    func loginFailed(_ name: [UInt8], _ service: StaticString, stream: any ByteStream) {
        guard self.begin(.notice, "login failed", stream) else { return }
        self.line.field("service", service)
        self.line.field("user", name.span)
        self.end()
    }

    /// A client has failed so often that its logins, and its connections where one must log in, are
    /// refused for a while.
    func clientBanned(_ seconds: Double, stream: any ByteStream) {
        guard self.begin(.warning, "client banned", stream) else { return }
        self.line.field("seconds", Int(seconds))
        self.end()
    }

    /// Begins a line with the session and its client, if lines of this level are written.
    private func begin(
        _ level: Logger.Level,
        _ message: StaticString,
        _ stream: any ByteStream
    ) -> Bool {
        self.begin(level, message, stream.id, stream.client)
    }

    private func begin(
        _ level: Logger.Level,
        _ message: StaticString,
        _ session: ConnectionID,
        _ client: NetworkAddress?
    ) -> Bool {
        guard let sink = self.sink, level >= sink.level else { return false }
        self.line.begin(sink.wallClock(), level: level.name, message)
        self.line.field("session") { $0.append(base36: session.rawValue) }
        if let client { self.line.field("peer") { client.appendHost(to: &$0) } }
        return true
    }

    /// Begins a line that is of no session, if lines of this level are written.
    func begin(_ level: Logger.Level, _ message: StaticString) -> Bool {
        guard let sink = self.sink, level >= sink.level else { return false }
        self.line.begin(sink.wallClock(), level: level.name, message)
        return true
    }

    func end() {
        if let ring = self.sink?.ring { self.line.end(into: ring) }
    }
}

extension StoreAnswer {
    /// How many maildrops did not get a message, and why not.
    fileprivate func undelivered(of count: Int) -> (count: Int, reason: StaticString) {
        switch self {
        case .appended(let results):
            let reason: StaticString =
                results.contains(.overQuota) ? "a maildrop is full" : "an account is gone"
            return (results.count { !$0.isDelivered }, reason)
        case .failed(.full): return (count, "the disk is full")
        case .failed(.overQuota): return (count, "a maildrop is full")
        case .failed(.gone): return (count, "an account is gone")
        default: return (count, "the store failed")
        }
    }
}

extension ReplyBuffer {
    /// Appends a number in digits and lower-case letters.
    fileprivate mutating func append(base36 number: UInt64) {
        var divisor: UInt64 = 1
        while number / divisor >= 36 { divisor *= 36 }
        while divisor > 0 {
            let digit = UInt8(truncatingIfNeeded: number / divisor % 36)
            self.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            divisor /= 36
        }
    }
}
