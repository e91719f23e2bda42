// SPDX-License-Identifier: Apache-2.0

@testable import EventLoop
import Foundation
import MailBytes
import Testing

/// What the two ends agree on, with clients of others' making.
@Suite("TLS: handshakes", .timeLimit(.minutes(2)))
struct TLSHandshakeTests {
    private let certificates = TestCertificates.shared

    @Test("TLS 1.2 and 1.3 are spoken, and both ends know which", arguments: ["v1_2", "v1_3"])
    func versions(version: String) throws {
        var facts: [TLSFacts?] = []
        let harness = try LoopHarness(tls: .forTests()) { handler, stream in
            facts.append(stream.tls)
            handler.onSecured = { stream in
                facts.append(stream.tls)
                stream.send("220 ready\n")
            }
        }
        let said = harness.python(
            """
            s = secure(version="TLS\(version)", name="mail.example.test")
            print(line(s), s.version())
            s.send(b"hello\\n")
            print(line(s))
            s.unwrap()
            """
        )
        let name = version == "v1_2" ? "TLSv1.2" : "TLSv1.3"
        #expect(said == "220 ready \(name)\nhello")
        try #require(facts.count == 2)
        #expect(facts[0] == nil)
        #expect("\(try #require(facts[1]).version)" == name)
        #expect(facts[1]?.serverName == "mail.example.test")
        #expect(facts[1]?.cipher.contains("AES") == true)
        #expect(facts[1]?.isResumed == false)
        #expect(facts[1]?.applicationProtocol == nil)
        #expect(facts[1]?.clientCertificate == nil)
        #expect(harness.loop.handshakes == HandshakeCounts(begun: 1, done: 1))
        #expect(harness.handlers[0].inputEndedCount == 1)
        #expect(harness.handlers[0].endedCount == 1)
    }

    @Test("Older versions are refused with the alert that says so")
    func olderVersions() throws {
        var failure: String?
        let harness = try LoopHarness(tls: .forTests()) { handler, _ in
            handler.onEnded = { failure = $0.handshakeFailure }
        }
        let said = harness.sClient(["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"])
        #expect(said.contains("alert number 70"), "\(said)")
        #expect(harness.loop.handshakes == HandshakeCounts(begun: 1, failed: 1))
        #expect(failure == "unsupported protocol")
        #expect(harness.handlers[0].securedCount == 0)
        #expect(harness.handlers[0].endedCount == 1)
    }

    @Test("Only TLS 1.3, when that is asked for")
    func newestOnly() throws {
        let harness = try LoopHarness(tls: .forTests { $0.minimumVersion = .tls13 })
        let said = harness.python(
            """
            try: secure(version="TLSv1_2")
            except ssl.SSLError as e: print(e.reason)
            print(line(secure(version="TLSv1_3")))
            """
        )
        #expect(said == "TLSV1_ALERT_PROTOCOL_VERSION\n220 ready")
    }

    @Test("Renegotiation is refused, and the session goes on")
    func renegotiation() throws {
        let harness = try LoopHarness(tls: .forTests())
        let said = harness.sClient(["-tls1_2"], typing: "R")
        #expect(said.contains("RENEGOTIATING"), "\(said)")
        #expect(said.contains("no renegotiation"), "\(said)")
        #expect(harness.loop.handshakes.done == 1)
    }

    @Test("Each name gets its certificate, and no name or a strange one the default")
    func serverNames() throws {
        let files = [self.certificates.ecdsa, self.certificates.other]
        let harness = try LoopHarness(tls: .forTests(files))
        let names = [
            "mail.example.test", "OTHER.example.test", "a.wild.example.test",
            "a.b.wild.example.test", "stranger.example",
        ]
        let said = harness.python(
            """
            for name in \(names) + [None]:
                s = secure(name=name)
                print(ssl.DER_cert_to_PEM_cert(s.getpeercert(True)), end="")
                line(s)
            """
        )
        let shown = said.components(separatedBy: "-----END CERTIFICATE-----").dropLast()
        let pem = try files.map { file in
            try String(contentsOfFile: file.chainPath, encoding: .utf8).filter { $0 != "\n" }
        }
        let places = shown.map { text in
            pem.firstIndex { $0.contains(text.filter { $0 != "\n" }) }
        }
        #expect(places == [0, 1, 1, 0, 0, 0])
    }

    @Test("A client gets the certificate of the type of key that it can use")
    func sideBySide() throws {
        let files = [self.certificates.ecdsa, self.certificates.rsa]
        let harness = try LoopHarness(tls: .forTests(files))
        let said = harness.python(
            """
            for kind in ["ECDSA", "RSA"]:
                s = secure(version="TLSv1_2", ciphers="ECDHE-%s-AES128-GCM-SHA256" % kind)
                print(s.cipher()[0])
                line(s)
            """
        )
        #expect(said == "ECDHE-ECDSA-AES128-GCM-SHA256\nECDHE-RSA-AES128-GCM-SHA256")
    }

    @Test("A protocol that is not spoken here is refused; none, or one that is, is served")
    func applicationProtocols() throws {
        var agreed: [String?] = []
        let harness = try LoopHarness(
            tls: .forTests { $0.applicationProtocols = ["smtp", "lmtp"] }
        ) { handler, _ in
            handler.onSecured = { stream in
                agreed.append(stream.tls?.applicationProtocol)
                stream.send("220 ready\n")
            }
        }
        let said = harness.python(
            """
            for alpn in [None, ["smtp"], ["h2", "lmtp"], ["h2", "http/1.1"]]:
                try:
                    s = secure(alpn=alpn)
                    print(s.selected_alpn_protocol(), line(s))
                except ssl.SSLError: print("refused")
            """
        )
        #expect(said == "None 220 ready\nsmtp 220 ready\nlmtp 220 ready\nrefused")
        #expect(agreed == [nil, "smtp", "lmtp"])
        let again = try LoopHarness(tls: .forTests { $0.applicationProtocols = ["smtp"] })
        let refusal = again.sClient(["-alpn", "h2"])
        #expect(refusal.contains("alert number 120"), "\(refusal)")
    }

    @Test("A client's certificate counts when an authority of ours has signed it")
    func clientCertificates() throws {
        var shown: [TLSFacts.ClientCertificate?] = []
        let authority = self.certificates.authority.chainPath
        let harness = try LoopHarness(tls: .forTests { $0.clientAuthoritiesPath = authority }) {
            handler,
            _ in
            handler.onSecured = { stream in
                shown.append(stream.tls?.clientCertificate)
                stream.send("220 ready\n")
            }
        }
        let client = self.certificates.client
        let stranger = self.certificates.stranger
        let said = harness.python(
            """
            for version in ["TLSv1_2", "TLSv1_3"]:
                for files in [("\(client.chainPath)", "\(client.keyPath)"),
                              ("\(stranger.chainPath)", "\(stranger.keyPath)"), None]:
                    print(line(secure(version=version, certificate=files)))
            """
        )
        #expect(said.components(separatedBy: "\n") == Array(repeating: "220 ready", count: 6))
        #expect(shown.map { $0?.commonName } == ["Anna", nil, nil, "Anna", nil, nil])
        #expect(shown[0]?.mailboxes == ["anna@example.test"])
        #expect(shown[3]?.mailboxes == ["anna@example.test"])
    }

    @Test("Both ends have the same channel bindings, on a resumed connection too", arguments: 0...1)
    func channelBindings(ecdsa: Int) throws {
        let files = [self.certificates.ecdsa, self.certificates.rsa]
        let keys = try TicketKeys(path: nil, hours: 1)
        let service = try TLSService.forTests(ecdsa == 1 ? files : files.reversed()) {
            $0.ticketKeys = keys
        }
        var ofServer: [[[UInt8]?]] = []
        var ofClient: [[UInt8]?] = []
        let harness = try LoopHarness(tls: service) { handler, _ in
            handler.onSecured = { stream in
                ofServer.append([
                    stream.channelBinding(.serverEndPoint), stream.channelBinding(.exporter),
                ])
                stream.send("220 ready\n")
            }
        }
        var options = TLSClientOptions()
        options.resumesSessions = true
        let client = try TLSService(options)
        harness.connect(3, client) { ofClient.append($0.channelBinding(.exporter)) }
        try #require(ofServer.count == 3)
        #expect(ofServer.map { $0[1] } == ofClient)
        #expect(Set(ofClient).count == 3 && ofClient[0]?.count == 32)
        #expect(harness.loop.handshakes.resumed == 4, "two, at either end")
        let hash = Command.run(
            [
                "sh", "-c",
                "openssl x509 -in \(self.certificates.ecdsa.chainPath) -outform DER | sha256sum",
            ]
        )
        let octets = try #require(ofServer[0][0])
        #expect(hash.output.hasPrefix(octets.map { String(format: "%02x", $0) }.joined()))
        #expect(ofServer.map { $0[0] } == [octets, octets, octets])
    }
}

extension LoopHarness {
    /// Runs the loop with streams of its own that connect to it one after the other, wait for a
    /// line, and end.
    func connect(
        _ count: Int,
        _ service: TLSService,
        secured: @escaping (any ByteStream) -> Void = { _ in }
    ) {
        var left = count
        var handlers: [ScriptedHandler] = []
        func next() {
            guard left > 0 else { return self.loop.stop() }
            left -= 1
            guard let stream = try? self.loop.connect(to: self.address) else { return }
            let handler = ScriptedHandler()
            handlers.append(handler)
            stream.handler = handler
            handler.onConnected = { $0.startTLS(service) }
            handler.onSecured = secured
            handler.onReceived = { octets, stream in
                stream.close()
                return Consumption(count: octets.count, next: .awaitMore)
            }
            handler.onEnded = { _ in next() }
        }
        self.loop.after(seconds: 0) { next() }
        let limit = self.loop.after(seconds: 20) { [unowned loop] in
            Issue.record("the loop did not end in time")
            loop.stop()
        }
        self.loop.run()
        limit.cancel()
        // They hold each other.
        for handler in handlers { handler.onEnded = { _ in } }
    }
}
