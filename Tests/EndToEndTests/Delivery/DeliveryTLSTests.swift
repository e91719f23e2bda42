// SPDX-License-Identifier: Apache-2.0
//
// TLS on the way out: opportunistic, demanded, and demanded by the domain itself (DANE, RFC 7672).

import Foundation
import Testing

extension EndToEnd {
    @Suite(.enabled(if: DeliveryWorld.isPossible, DeliveryWorld.whyNot))
    struct DeliveryTLSTests {
        /// An authority, and a certificate of it for the hosts of the world.
        private struct Identity {
            let scratch: ScratchDirectory
            var authority: String { self.scratch.path + "/authority.pem" }
            var certificate: String { self.scratch.path + "/host.pem" }
            var key: String { self.scratch.path + "/host.key" }

            init(for names: String...) throws {
                self.scratch = try ScratchDirectory()
                let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
                try TLSIdentity.openssl(
                    ["req", "-x509", "-days", "2", "-subj", "/CN=Authority"] + curve
                        + ["-keyout", self.scratch.path + "/authority.key", "-out", self.authority]
                )
                let list = names.map { "DNS:\($0)" }.joined(separator: ",")
                try TLSIdentity.openssl(
                    ["req", "-x509", "-days", "2", "-subj", "/CN=host"] + curve
                        + ["-addext", "subjectAltName=\(list)", "-CA", self.authority]
                        + ["-CAkey", self.scratch.path + "/authority.key"]
                        + ["-keyout", self.key, "-out", self.certificate]
                )
            }

            /// The content of a TLSA record 3 1 1.
            func association() throws -> String {
                let key = try TLSIdentity.openssl([
                    "x509", "-in", self.certificate, "-noout", "-pubkey",
                ])
                let spki = try TLSIdentity.openssl(
                    ["pkey", "-pubin", "-outform", "DER"],
                    input: key
                )
                let hash = try TLSIdentity.openssl(["dgst", "-sha256", "-binary"], input: spki)
                return "3 1 1 " + hash.map { String(format: "%02x", $0) }.joined()
            }

            var script: [String: Any] { ["certificate": self.certificate, "key": self.key] }
        }

        @Test("TLS is used where it is offered, whatever the certificate says")
        func opportunistic() throws {
            let identity = try Identity(for: "somebody-else.example")
            let world = try DeliveryWorld("plain MX 10 mx2.hosts")
            try world.hops.script("127.0.0.2", identity.script)
            try world.send(to: "reader@plain.example")
            #expect(world.hops.taken(1).first?.tls == "TLSv1.3")
        }

        @Test("A host that offers TLS and cannot do it gets the mail in clear, at last")
        func brokenTLS() throws {
            let identity = try Identity(for: "mx2.hosts.example")
            for way in ["454 4.7.0 Not now", "!break"] {
                let world = try DeliveryWorld("plain MX 10 mx2.hosts")
                try world.hops.script(
                    "127.0.0.2",
                    identity.script.merging(["STARTTLS": way]) { $1 }
                )
                try world.send(to: "reader@plain.example")
                let taken = try #require(world.hops.taken(1).first, "\(way): \(world.server.log)")
                #expect(taken.tls == nil)
            }
        }

        @Test(
            "Where TLS is demanded, mail waits for a host that can do it",
            arguments: [
                "encrypted", "verified",
            ]
        )
        func demanded(tls: String) throws {
            let identity = try Identity(for: "mx2.hosts.example")
            let world = try DeliveryWorld(
                "plain MX 10 mx2.hosts",
                delivery: """
                    tls = "\(tls)"
                    authorities = "\(identity.authority)"
                    """
            )
            try world.send(to: "reader@plain.example")
            Thread.sleep(forTimeInterval: 2.5)
            #expect(world.hops.taken.isEmpty)
            #expect(try world.queue().count == 1)
            try world.hops.script("127.0.0.2", identity.script)
            #expect(world.hops.taken(1).first?.tls == "TLSv1.3")
            #expect(try world.queueIsEmpty())
        }

        @Test("A certificate for another host, or by nobody known, is not good enough")
        func notVerified() throws {
            let wrong = try Identity(for: "mx3.hosts.example")
            let right = try Identity(for: "mx2.hosts.example")
            let world = try DeliveryWorld(
                "plain MX 10 mx2.hosts",
                delivery: """
                    tls = "verified"
                    authorities = "\(wrong.authority)"
                    """
            )
            try world.hops.script("127.0.0.2", wrong.script)
            try world.send(to: "reader@plain.example")
            Thread.sleep(forTimeInterval: 1.5)
            try world.hops.script("127.0.0.2", right.script)
            Thread.sleep(forTimeInterval: 2.5)
            #expect(world.hops.taken.isEmpty)
            #expect(try world.queue().count == 1)
        }

        private func daneWorld(
            _ association: String,
            isExpired: Bool = false
        ) throws -> DeliveryWorld {
            let zone = NameServer.Zone(
                "signed.example",
                isSigned: true,
                isExpired: isExpired,
                """
                @ MX 10 mx
                mx A 127.0.0.2
                _PORT._tcp.mx TLSA \(association)
                """
            )
            return try DeliveryWorld("signed NS ns", zones: [zone])
        }

        @Test("A TLSA record that DNSSEC proves vouches for the certificate of the host")
        func dane() throws {
            let identity = try Identity(for: "some-name.example")
            let world = try self.daneWorld(identity.association())
            try world.hops.script("127.0.0.2", identity.script)
            try world.send(to: "reader@signed.example")
            #expect(world.hops.taken(1).first?.tls == "TLSv1.3", "\(world.server.log)")
            #expect(try world.queueIsEmpty())
        }

        @Test("With a TLSA record of another certificate, or without TLS, nothing is sent")
        func daneMismatch() throws {
            let identity = try Identity(for: "mx.signed.example")
            let other = try Identity(for: "mx.signed.example")
            let world = try self.daneWorld(other.association())
            for script in [identity.script, [:]] {
                try world.hops.script("127.0.0.2", script)
                try world.send(to: "reader@signed.example")
                Thread.sleep(forTimeInterval: 2.5)
                #expect(world.hops.taken.isEmpty)
            }
            #expect(try world.queue().count == 2)
            try world.hops.script("127.0.0.2", other.script)
            #expect(world.hops.taken(2).count == 2)
        }

        @Test("A zone whose signatures have expired is as good as none: the mail waits")
        func bogus() throws {
            let identity = try Identity(for: "mx.signed.example")
            let world = try self.daneWorld(identity.association(), isExpired: true)
            try world.hops.script("127.0.0.2", identity.script)
            try world.send(to: "reader@signed.example")
            Thread.sleep(forTimeInterval: 2.5)
            #expect(world.hops.tries.isEmpty)
            #expect(try world.queue().count == 1)
        }
    }
}
