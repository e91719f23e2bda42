// SPDX-License-Identifier: Apache-2.0
//
// Keys and certificates made by the openssl command, once for the whole run.

@testable import EventLoop
import Foundation
import MailBytes
import Testing

/// A folder of certificates.
struct TestCertificates: Sendable {
    typealias Files = (chainPath: String, keyPath: String)

    let folder: URL

    /// mail.example.test and localhost, with a key of each type.
    var ecdsa: Files { self.files("ecdsa") }
    var rsa: Files { self.files("rsa") }
    /// other.example.test and *.wild.example.test.
    var other: Files { self.files("other") }
    /// The authority of `client`, whose certificate names anna@example.test.
    var authority: Files { self.files("authority") }
    var client: Files { self.files("client") }
    /// The same name, signed by nobody.
    var stranger: Files { self.files("stranger") }

    static let shared = TestCertificates()

    private init() {
        self.folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-tls-\(UUID().uuidString)")
        try? FileManager.default.createDirectory(
            at: self.folder,
            withIntermediateDirectories: true
        )
        let hosts = "subjectAltName=DNS:mail.example.test,DNS:localhost"
        self.make("ecdsa", Self.curve, "/CN=mail.example.test", hosts)
        self.make("rsa", ["rsa:2048"], "/CN=mail.example.test", hosts)
        let others = "subjectAltName=DNS:other.example.test,DNS:*.wild.example.test"
        self.make("other", Self.curve, "/CN=other.example.test", others)
        self.make("authority", Self.curve, "/CN=Authority", "basicConstraints=critical,CA:TRUE")
        let mailbox = "subjectAltName=email:anna@example.test,DNS:nothing.example.test"
        self.make("stranger", Self.curve, "/CN=Anna", mailbox)
        let authority = ["-CA", self.authority.chainPath, "-CAkey", self.authority.keyPath]
        self.make("client", Self.curve, "/CN=Anna", mailbox, authority)
    }

    private static let curve = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]

    func files(_ name: String) -> Files {
        (
            chainPath: self.folder.appendingPathComponent("\(name).pem").path,
            keyPath: self.folder.appendingPathComponent("\(name).key").path
        )
    }

    func make(
        _ name: String,
        _ key: [String],
        _ subject: String,
        _ extensionText: String,
        _ more: [String] = []
    ) {
        let files = self.files(name)
        let made = Command.run(
            ["openssl", "req", "-x509", "-newkey"] + key + ["-nodes", "-days", "30"]
                + ["-keyout", files.keyPath, "-out", files.chainPath, "-subj", subject]
                + ["-addext", extensionText] + more
        )
        #expect(made.status == 0, "\(made.output)")
    }

    func path(_ name: String) -> String { self.folder.appendingPathComponent(name).path }
}

/// Programs that a test runs.
enum Command {
    struct Outcome: Sendable {
        let status: Int32
        /// Standard output and standard error.
        let output: String
    }

    static func run(_ arguments: [String]) -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["timeout", "20"] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        do {
            try process.run()
            let text = try output.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            return Outcome(
                status: process.terminationStatus,
                output: String(decoding: text, as: UTF8.self)
            )
        } catch {
            return Outcome(status: -1, output: "\(error)")
        }
    }

    /// Runs Python with a few functions at hand; what it prints is for the test to look at.
    static func python(_ code: String, to address: ListenAddress) -> Outcome {
        guard case .ip(let host) = address else { return Outcome(status: -1, output: "no port") }
        let beginning = """
            import socket, ssl, struct, time, warnings
            warnings.simplefilter("ignore")

            def dial():
                s = socket.create_connection(("127.0.0.1", \(host.port)), 5)
                s.settimeout(8)
                return s

            def context(version=None, alpn=None, certificate=None, ciphers=None):
                c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                c.check_hostname = False
                c.verify_mode = ssl.CERT_NONE
                if version:
                    c.minimum_version = c.maximum_version = getattr(ssl.TLSVersion, version)
                if alpn: c.set_alpn_protocols(alpn)
                if certificate: c.load_cert_chain(*certificate)
                if ciphers: c.set_ciphers(ciphers)
                return c

            def secure(s=None, name=None, session=None, c=None, **options):
                c = c or context(**options)
                return c.wrap_socket(s or dial(), server_hostname=name, session=session)

            def line(s):
                text = b""
                while not text.endswith(b"\\n"):
                    octet = s.recv(1)
                    if not octet: break
                    text += octet
                return text.decode().rstrip("\\n")

            def rest(s):
                text = b""
                while True:
                    more = s.recv(65536)
                    if not more: return text
                    text += more

            def reset(s):
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                s.close()

            """
        return self.run(["python3", "-c", "\(beginning)\n\(code)"])
    }
}
