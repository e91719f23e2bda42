// SPDX-License-Identifier: Apache-2.0

import EventLoop
import Foundation
import Logging
import MailBytes
import MailStore
import MailSyntax
import Simulation
import Synchronization
import Testing

@testable import Server

/// Everything a ring was given.
private func written(_ ring: LogRing) -> String {
    var octets: [UInt8] = []
    ring.close()
    ring.drain(pause: {}, write: { octets += $0 })
    return String(decoding: octets, as: UTF8.self)
}

private func sink(_ format: LogFormat, _ level: Logger.Level = .info) -> LogSink {
    LogSink(ring: LogRing(), format: format, level: level, wallClock: { (1_700_000_000, 7) })
}

@Suite("Log lines")
struct LogLineTests {
    @Test("Text for people, with what is awkward in quotes")
    func text() {
        let sink = sink(.text)
        let logger = Logger(label: "test") { _ in LineLogHandler(sink: sink) }
        logger.info(
            "listening",
            metadata: ["b": "two words", "a": "plain", "n": .stringConvertible(42), "e": ""]
        )
        logger.debug("not written")
        #expect(
            written(sink.ring)
                == "2023-11-14T22:13:20.007Z info listening a=plain b=\"two words\" e=\"\" n=42\n"
        )
    }

    @Test(
        "No line can be forged and no terminal be controlled",
        arguments: [
            "a\nb", "a\r\n2023 info x", "\u{1b}[2J", "\"", "\\", "\u{9b}2J", "\u{202e}x", "\0",
            "\u{7f}", "x\u{2028}y",
        ],
        [LogFormat.text, .json]
    )
    func forged(value: String, format: LogFormat) throws {
        let sink = sink(format)
        let logger = Logger(label: "test") { _ in LineLogHandler(sink: sink) }
        logger.info("m", metadata: ["key": .string(value)])
        let line = written(sink.ring)
        #expect(line.split(separator: "\n").count == 1)
        let isVisible = line.dropLast().unicodeScalars.allSatisfy {
            $0.value >= 0x20 && $0.value != 0x7f && !(0x80...0x9f ~= $0.value)
                && $0.value != 0x202e && $0.value != 0x2028
        }
        #expect(isVisible)
        guard format == .json else { return }
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        let found = try #require(object?["key"] as? String)
        // Characters beyond ASCII that must not be shown are told by their octets.
        if value.utf8.allSatisfy({ $0 < 0x80 }) { #expect(found == value) }
    }

    @Test("Letters of all scripts stay as they are")
    func scripts() {
        let sink = sink(.json)
        let logger = Logger(label: "test") { _ in LineLogHandler(sink: sink) }
        logger.notice("m", metadata: ["key": "grün 寄 🐦"])
        #expect(written(sink.ring).contains("\"key\":\"grün 寄 🐦\""))
    }

    @Test("Octets that are no text are told one by one")
    func noText() {
        var line = LogLine(format: .json)
        let octets: [UInt8] = [0x61, 0xff, 0xc3, 0x28, 0xc3, 0xbc, 0xe5]
        line.begin((0, 0), level: "info", "m")
        line.field("key", octets.span)
        let ring = LogRing()
        line.end(into: ring)
        #expect(written(ring).contains("\"key\":\"a\\u00ff\\u00c3(ü\\u00e5\""))
    }

    @Test("Sessions are told with their ids, and never with a password or content")
    func journal() throws {
        for format in [LogFormat.text, .json] {
            let sink = sink(format, .debug)
            let test = try ServerUnderTest(journal: Journal(sink: sink))
            test.deliver("Subject: confidential\r\n\r\n")
            test.logIn().say("QUIT\r\n")
            test.connect(.pop3).say("USER anna\r\nPASS hidden\r\n", for: 3)
            test.world.run(for: 1000)
            let log = written(sink.ring)
            for word in [
                "session began", "session ended", "message stored", "maildrop opened",
                "login failed", "192.0.2.1", "anna",
            ] { #expect(log.contains(word)) }
            for word in [ServerUnderTest.secret, "hidden", "confidential"] {
                #expect(!log.contains(word))
            }
            for line in log.split(separator: "\n") {
                #expect(line.contains(format == .json ? "\"session\":\"" : " session="))
                guard format == .json else { continue }
                #expect(throws: Never.self) {
                    try JSONSerialization.jsonObject(with: Data(line.utf8))
                }
            }
        }
    }

    @Test("What is queued is told with how many recipients wait")
    func queued() throws {
        let sink = sink(.text)
        var relaying = RelaySettings()
        relaying.mayRelay = { _ in true }
        let test = try ServerUnderTest(journal: Journal(sink: sink), relaying: relaying)
        for recipients in [["a@b.example", "c@d.example"], ["anna@example.test", "a@b.example"]] {
            let client = test.connect(.smtp)
            client.say("HELO a\r\nMAIL FROM:<x@y.example>\r\n")
            for recipient in recipients { client.say("RCPT TO:<\(recipient)>\r\n") }
            client.say("DATA\r\n")
            client.say("x\r\n.\r\n", for: 5)
        }
        let ends = written(sink.ring).split(separator: "\n").map { line in
            let message = line.contains("message queued") ? "queued" : "stored"
            return "\(message) \(line.split(separator: "maildrops=").last ?? "")"
        }
        #expect(ends == ["queued 0 recipients=2", "stored 1 recipients=1"])
    }
}

@Suite("The way of log lines")
struct LogRingTests {
    private func put(_ text: String, into ring: LogRing) {
        let octets = Array(text.utf8)
        ring.put(octets.span)
    }

    @Test("What finds no room is dropped whole, counted, and told of")
    func full() {
        let ring = LogRing(octetsMax: 25)
        for number in 0..<5 { self.put("line \(number) \n", into: ring) }
        #expect(written(ring) == "line 0 \nline 1 \nline 2 \n2 log lines were dropped\n")
    }

    @Test("A reader that does not read blocks nobody but the writing thread")
    func fullPipe() throws {
        let pipe = Pipe()
        let writeEnd = pipe.fileHandleForWriting.fileDescriptor
        let ring = LogRing(octetsMax: 1 << 16)
        let writer = WorkerThread(name: "log") {
            ring.drain(
                pause: { WorkerThread.sleep(milliseconds: 1) },
                write: { Terminal.write($0, to: writeEnd) }
            )
        }
        let line = String(repeating: "x", count: 999) + "\n"
        let start = ContinuousClock.now
        for _ in 0..<2000 {
            self.put(line, into: ring)
            // Time for the pipe to fill.
            if start.duration(to: .now) < .milliseconds(50) { usleep(100) }
        }
        #expect(start.duration(to: .now) < .seconds(5))
        // The reader wakes up, and finds whole lines and the count of those that are missing.
        let found = Found()
        let readEnd = pipe.fileHandleForReading
        let reader = WorkerThread(name: "reader") {
            found.add((try? readEnd.readToEnd()) ?? Data())
        }
        ring.close()
        writer.join()
        try pipe.fileHandleForWriting.close()
        reader.join()
        let lines = found.text.split(separator: "\n")
        let whole = lines.count { $0.count == 999 }
        let dropped = lines.compactMap { line in
            line.hasSuffix(" log lines were dropped") ? Int(line.prefix { $0 != " " }) : nil
        }
        #expect(whole + dropped.reduce(0, +) == 2000)
        #expect(!dropped.isEmpty)
    }

    @Test("A reader that has gone away ends nothing")
    func brokenPipe() throws {
        signal(SIGPIPE, SIG_IGN)
        let pipe = Pipe()
        try pipe.fileHandleForReading.close()
        let writeEnd = pipe.fileHandleForWriting.fileDescriptor
        let ring = LogRing()
        let writer = WorkerThread(name: "log") {
            ring.drain(pause: {}, write: { Terminal.write($0, to: writeEnd) })
        }
        for _ in 0..<100 { self.put("line\n", into: ring) }
        ring.close()
        writer.join()
    }
}

/// What a thread has read.
private final class Found: Sendable {
    private let octets = Mutex<[UInt8]>([])

    func add(_ more: Data) { self.octets.withLock { $0 += more } }

    var text: String { self.octets.withLock { String(decoding: $0, as: UTF8.self) } }
}
