// SPDX-License-Identifier: Apache-2.0
//
// A small server of the domain name system on 127.0.0.1, over UDP and TCP, that can be told to
// misbehave. It runs on a thread of its own until it is stopped or gone.

package import DNSProtocol
import EventLoop
import Glibc
package import MailBytes
import Synchronization

package final class DNSServer: Sendable {
    /// Where it listens.
    package let address: NetworkAddress
    private let work: Work
    private let thread: WorkerThread

    /// A server on a port of the system's choice, or on a given one.
    package init(_ zones: DNSZones, port: UInt16 = 0) throws(Failure) {
        let work = try Work(zones, port: port)
        self.work = work
        self.address = NetworkAddress(ipv4: 0x7f00_0001, port: work.port)
        self.thread = WorkerThread(name: "dns server") { work.run() }
    }

    package var port: UInt16 { self.work.port }

    deinit { self.stop() }

    /// The questions that came, in order.
    package var questions: [DNSQuestion] { self.work.questions.withLock { $0 } }

    /// How many connections over TCP there were.
    package var connectionCount: Int { self.work.connections.withLock { $0 } }

    /// Other zones from now on.
    package func change(_ zones: DNSZones) { self.work.zones.withLock { $0 = zones } }

    /// Returns when the thread has ended.
    package func stop() {
        self.work.isStopped.store(true, ordering: .relaxed)
        self.thread.join()
    }

    package struct Failure: Error {
        package let call: String
        package let code: Int32
    }
}

/// What the thread does.
private final class Work: Sendable {
    let zones: Mutex<DNSZones>
    let questions = Mutex<[DNSQuestion]>([])
    let connections = Mutex(0)
    let isStopped = Atomic(false)
    let port: UInt16
    private let datagrams: Int32
    private let listener: Int32
    /// Not the one that is asked: answers from here are forged.
    private let stranger: Int32

    init(_ zones: DNSZones, port: UInt16) throws(DNSServer.Failure) {
        self.zones = Mutex(zones)
        (self.datagrams, self.listener) = try Self.pair(port: port)
        self.stranger = try DNSSocket.make(SOCK_DGRAM, port: 0)
        self.port = DNSSocket.port(of: self.datagrams)
    }

    /// Sockets of both kinds on one port.
    private static func pair(port: UInt16) throws(DNSServer.Failure) -> (Int32, Int32) {
        var attempts = 0
        while true {
            let datagrams = try DNSSocket.make(SOCK_DGRAM, port: port)
            do throws(DNSServer.Failure) {
                let chosen = DNSSocket.port(of: datagrams)
                return (datagrams, try DNSSocket.make(SOCK_STREAM, port: chosen))
            } catch {
                // A port that is free for datagrams may be taken for streams.
                close(datagrams)
                attempts += 1
                guard port == 0, attempts < 16 else { throw error }
            }
        }
    }

    deinit {
        for descriptor in [self.datagrams, self.listener, self.stranger] { close(descriptor) }
    }

    func run() {
        while !self.isStopped.load(ordering: .relaxed) {
            let ready = DNSSocket.wait([self.datagrams, self.listener], milliseconds: 20)
            if ready[0] { self.answerDatagram() }
            if ready[1] { self.answerConnection() }
        }
    }

    private func answerDatagram() {
        guard let (octets, peer) = DNSSocket.receive(from: self.datagrams),
            let (query, question) = self.read(octets)
        else { return }
        let zones = self.zones.withLock { $0 }
        let answer = zones.answer(question, id: query.id)
        func send(_ message: DNSMessage, from descriptor: Int32? = nil) {
            DNSSocket.send(message.octets, to: peer, from: descriptor ?? self.datagrams)
        }
        switch zones.behaviour(of: question.name) {
        case nil: send(answer)
        case .serverFailure: send(answer.but(responseCode: .serverFailure))
        case .refused: send(answer.but(responseCode: .refused))
        case .silent: break
        case .silentFirst(let count):
            let asked = self.questions.withLock { $0.count { $0 == question } }
            if asked > count { send(answer) }
        case .truncated:
            send(DNSMessage(id: query.id, isTruncated: true, question: question))
        case .forged(let count, let records):
            for step in 0..<count { send(answer.but(id: query.id &+ UInt16(step + 1), records)) }
            send(answer.but(id: query.id, records), from: self.stranger)
            send(answer)
        case .wrongQuestion(let records):
            let other = DNSQuestion("another.test", question.type)
            send(DNSMessage(id: query.id, question: other, answers: records))
        case .garbage:
            let start = Array(answer.octets.prefix(12))
            let rest = [UInt8](repeating: 0xc1, count: 40)
            DNSSocket.send(start + rest, to: peer, from: self.datagrams)
        case .slow(let milliseconds):
            WorkerThread.sleep(milliseconds: milliseconds)
            send(answer)
        }
    }

    private func answerConnection() {
        guard let connection = DNSSocket.accept(on: self.listener) else { return }
        defer { close(connection) }
        self.connections.withLock { $0 += 1 }
        guard let octets = DNSSocket.readFrame(connection),
            let (query, question) = self.read(octets)
        else { return }
        let answer = self.zones.withLock { $0.answer(question, id: query.id) }
        DNSSocket.writeFrame(answer.octets, to: connection)
    }

    private func read(_ octets: [UInt8]) -> (DNSMessage, DNSQuestion)? {
        guard let query = try? DNSMessage(octets: octets.span), let question = query.question else {
            return nil
        }
        self.questions.withLock { $0.append(question) }
        return (query, question)
    }
}

extension DNSMessage {
    fileprivate func but(responseCode: DNSResponseCode) -> DNSMessage {
        DNSMessage(id: self.id, responseCode: responseCode, question: self.question)
    }

    fileprivate func but(id: UInt16, _ answers: [DNSRecord]) -> DNSMessage {
        DNSMessage(id: id, question: self.question, answers: answers)
    }
}
