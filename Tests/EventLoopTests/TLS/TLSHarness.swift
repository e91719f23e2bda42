// SPDX-License-Identifier: Apache-2.0

@testable import EventLoop
import MailBytes
import Testing

extension TLSService {
    /// A service of the certificate of type ECDSA, with more when the test wants it.
    static func forTests(
        _ certificates: [TestCertificates.Files] = [TestCertificates.shared.ecdsa],
        configure: (inout TLSOptions) -> Void = { _ in }
    ) throws -> TLSService {
        var options = TLSOptions(certificates: certificates)
        configure(&options)
        return try TLSService(options)
    }
}

extension LoopHarness {
    /// A listener of implicit TLS: each stream is greeted when it is secured, and echoes lines.
    convenience init(
        tls service: @escaping () -> TLSService,
        configure: @escaping (ScriptedHandler, any ByteStream) -> Void = { _, _ in }
    ) throws {
        try self.init { handler, stream in
            handler.onSecured = { $0.send("220 ready\n") }
            handler.onReceived = { octets, stream in
                stream.send(octets)
                return Consumption(count: octets.count, next: .awaitMore)
            }
            configure(handler, stream)
            stream.startTLS(service())
        }
    }

    convenience init(
        tls service: TLSService,
        configure: @escaping (ScriptedHandler, any ByteStream) -> Void = { _, _ in }
    ) throws {
        try self.init(tls: { service }, configure: configure)
    }

    /// Runs the loop with a client in Python, and returns what it printed.
    @discardableResult
    func python(_ code: String) -> String {
        let findings = Findings<Command.Outcome>()
        self.run { findings.add(Command.python(code, to: $0)) }
        guard let outcome = findings.all.first else { return "" }
        #expect(outcome.status == 0, "\(outcome.output)")
        return outcome.output.trimmingCharacters(in: ["\n"])
    }

    /// Runs the loop with one stream of its own that connects to it, says good-bye to the first
    /// line, and ends.
    func visit(
        prepare: (ScriptedHandler) -> Void,
        ended: @escaping (any ByteStream) -> Void
    ) {
        guard let stream = try? self.loop.connect(to: self.address) else {
            Issue.record("no connection")
            return
        }
        let handler = ScriptedHandler()
        stream.handler = handler
        handler.onReceived = { octets, stream in
            stream.close()
            return Consumption(count: octets.count, next: .awaitMore)
        }
        prepare(handler)
        handler.onEnded = { [unowned loop] stream in
            ended(stream)
            loop.stop()
        }
        let limit = self.loop.after(seconds: 20) { [unowned loop] in
            Issue.record("the loop did not end in time")
            loop.stop()
        }
        self.loop.run()
        limit.cancel()
    }

    /// Runs the loop with `openssl s_client`, and returns what it printed.
    ///
    /// A line is typed once the connection is at rest, and the end of the input comes later still.
    func sClient(_ arguments: [String], typing line: String = "") -> String {
        let findings = Findings<String>()
        self.run { address in
            let command = ["openssl", "s_client", "-connect", "\(address)"] + arguments
            let text = "(sleep 0.5; echo \(line); sleep 1) | \(command.joined(separator: " "))"
            findings.add(Command.run(["sh", "-c", text]).output)
        }
        return findings.all.first ?? ""
    }
}

extension String {
    func trimmingCharacters(in characters: Set<Character>) -> String {
        var text = self[...]
        while let last = text.last, characters.contains(last) { text.removeLast() }
        return String(text)
    }
}
