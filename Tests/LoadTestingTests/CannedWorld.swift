// SPDX-License-Identifier: Apache-2.0

import EventLoop
import MailBytes

@testable import LoadTesting

/// A loop with a canned SMTP and POP3 server on it, and faults to choose from.
final class CannedWorld {
    let loop: EventLoop
    var refusesRecipient: (String) -> Bool = { _ in false }
    var messageOctetsMissing = 0
    var abortsAt: String?
    var isSilentAt: String?
    var messagesReceived = 0
    var recipients: [String] = []
    var openAtMost = 0
    var readersOfOneMaildropAtMost = 0
    private var open = 0
    private var readers: [String: Int] = [:]
    private var ports: [UInt16] = []

    init() throws {
        self.loop = try EventLoop(connectionsMax: 1000)
        for isSMTP in [true, false] {
            let address = NetworkAddress(ipv4: 0x7f00_0001, port: 0)
            let listener = try self.loop.listen(on: .ip(address)) { [unowned self] stream in
                self.open += 1
                self.openAtMost = max(self.openAtMost, self.open)
                stream.handler = CannedSession(self, isSMTP: isSMTP)
                stream.send(Array((isSMTP ? "220 ready\r\n" : "+OK ready\r\n").utf8).span)
            }
            guard case .ip(let bound) = listener.address else { continue }
            self.ports.append(bound.port)
        }
    }

    func address(_ scenario: LoadPlan.Scenario) -> NetworkAddress {
        NetworkAddress(ipv4: 0x7f00_0001, port: self.ports[scenario == .smtp ? 0 : 1])
    }

    func plan(_ scenario: LoadPlan.Scenario) -> LoadPlan {
        var plan = LoadPlan(targets: [(scenario, self.address(scenario))])
        plan.connections = 4
        plan.sessions = 50
        return plan
    }

    /// Runs to the end; nil when there is none within ten seconds.
    func run(_ plan: LoadPlan) -> LoadReport? {
        var result: LoadReport?
        let run = LoadRun(plan, on: self.loop)
        run.start { [unowned loop = self.loop] report in
            result = report
            loop.stop()
        }
        self.runLoop()
        return result
    }

    func runLoop() {
        self.loop.after(seconds: 10) { [unowned loop = self.loop] in loop.stop() }
        self.loop.run()
    }

    fileprivate func maildropOpened(_ user: String) {
        self.readers[user, default: 0] += 1
        self.readersOfOneMaildropAtMost = max(
            self.readersOfOneMaildropAtMost,
            self.readers[user, default: 0]
        )
    }

    fileprivate func connectionEnded(_ user: String?) {
        self.open -= 1
        if let user { self.readers[user, default: 0] -= 1 }
    }
}

/// One conversation of the canned server.
private final class CannedSession: StreamHandler {
    private unowned let world: CannedWorld
    private let isSMTP: Bool
    private var isContent = false
    private var user: String?

    init(_ world: CannedWorld, isSMTP: Bool) {
        self.world = world
        self.isSMTP = isSMTP
    }

    func received(_ octets: borrowing Span<UInt8>, from stream: any ByteStream) -> Consumption {
        var start = 0
        while let end = octets.firstIndex(of: .lf, from: start) {
            let line = String(decoding: octets.copy(ByteRange(start, end - 1)), as: UTF8.self)
            start = end + 1
            if line == self.world.abortsAt {
                stream.abort()
                return Consumption(count: octets.count, next: .finished)
            }
            if line == self.world.isSilentAt { continue }
            let reply = self.isSMTP ? self.smtp(line) : self.pop3(line)
            stream.send(Array(reply.utf8).span)
            if line == "QUIT" {
                stream.close()
                return Consumption(count: octets.count, next: .finished)
            }
        }
        return Consumption(count: start, next: .awaitMore)
    }

    private func smtp(_ line: String) -> String {
        if self.isContent {
            guard line == "." else { return "" }
            self.isContent = false
            self.world.messagesReceived += 1
            return "250 2.0.0 OK\r\n"
        }
        let words = line.split(separator: " ")
        switch words.first {
        case "EHLO":
            return "250-canned\r\n250 PIPELINING\r\n"
        case "RCPT":
            let path = words[1].dropFirst("TO:".count)
            self.world.recipients.append(String(path))
            let isRefused = self.world.refusesRecipient(String(path))
            return isRefused ? "550 5.1.1 No\r\n" : "250 2.1.5 OK\r\n"
        case "DATA":
            self.isContent = true
            return "354 go on\r\n"
        case "QUIT":
            return "221 2.0.0 Bye\r\n"
        default:
            return "250 2.1.0 OK\r\n"
        }
    }

    private func pop3(_ line: String) -> String {
        let words = line.split(separator: " ")
        switch words.first {
        case "USER":
            self.user = String(words[1])
            self.world.maildropOpened(String(words[1]))
            return "+OK\r\n"
        case "STAT":
            return "+OK 2 220\r\n"
        case "LIST":
            return "+OK\r\n1 100\r\n2 120\r\n.\r\n"
        case "UIDL":
            return "+OK\r\n1 a\r\n2 b\r\n.\r\n"
        case "RETR":
            let octets = (words[1] == "1" ? 100 : 120) - self.world.messageOctetsMissing
            return "+OK\r\n" + String(repeating: "x", count: octets - 2) + "\r\n.\r\n"
        default:
            return "+OK\r\n"
        }
    }

    func inputEnded(_ stream: any ByteStream) { stream.abort() }
    func drained(_ stream: any ByteStream) {}
    func deadlinePassed(_ stream: any ByteStream) {}
    func ended(_ stream: any ByteStream) { self.world.connectionEnded(self.user) }
}
