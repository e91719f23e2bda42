// SPDX-License-Identifier: Apache-2.0

@testable import EventLoop
import Foundation
import MailBytes
import Testing

/// That a client knows whom it speaks to, by authorities (RFC 8461) and by DANE (RFC 7672).
@Suite("TLS: verifying the server", .timeLimit(.minutes(2)))
struct ServerVerificationTests {
    private let world = SignedCertificates.shared

    /// What became of one connection to a server with that certificate.
    private struct Outcome: Equatable {
        var verification: TLSFacts.ServerVerification?
        var failure: String?
    }

    private func outcome(
        of files: TestCertificates.Files,
        _ verification: TLSVerification,
        required: Bool = true,
        contextOf other: TLSService? = nil
    ) throws -> Outcome {
        var options = TLSClientOptions()
        options.serverName = "mx.example.test"
        options.verification = verification
        options.requiresVerification = required
        let client = try TLSService(options, contextOf: other)
        let harness = try LoopHarness(tls: .forTests([files]))
        var outcome = Outcome()
        harness.visit { handler in
            handler.onConnected = { $0.startTLS(client) }
            handler.onSecured = { outcome.verification = $0.tls?.serverVerification }
        } ended: {
            outcome.failure = $0.handshakeFailure
        }
        return outcome
    }

    private func authorities() throws -> TLSAuthorities {
        try TLSAuthorities(path: self.world.root.chainPath)
    }

    private func names(_ names: String...) throws -> TLSVerification {
        .authorities(try self.authorities(), names: names)
    }

    // MARK: - Authorities

    @Test("Nothing is asked for, and nothing is said, without verification")
    func none() throws {
        let outcome = try self.outcome(of: self.world.stranger, .none)
        #expect(outcome == Outcome(verification: .notAsked))
    }

    @Test(
        "A certificate of a known authority is good for its names and no others",
        arguments: [
            (["mx.example.test"], true), (["MX.Example.Test"], true),
            (["a.wild.example.test"], true), (["other.example.test", "mx.example.test"], true),
            (["127.0.0.1"], true), (["127.0.0.2"], false), (["other.example.test"], false),
            (["a.b.wild.example.test"], false), (["wild.example.test"], false),
            (["example.test"], false), (["foo.part.example.test"], false),
            (["only-in-subject.example.test"], false),
        ]
    )
    func authorityNames(names: [String], isGood: Bool) throws {
        let verification = TLSVerification.authorities(try self.authorities(), names: names)
        let outcome = try self.outcome(of: self.world.good, verification)
        guard !isGood else { return #expect(outcome == Outcome(verification: .verified)) }
        #expect(outcome.verification == nil)
        #expect(outcome.failure?.hasSuffix("mismatch") == true, "\(outcome)")
        let relaxed = try self.outcome(of: self.world.good, verification, required: false)
        #expect(relaxed.failure == nil)
        #expect(relaxed.verification == outcome.failure.map { .failed($0) })
    }

    @Test("A common name is no name where there are alternative names, nor where there are none")
    func commonName() throws {
        let outcome = try self.outcome(of: self.world.nameless, self.names("mx.example.test"))
        #expect(outcome == Outcome(failure: "hostname mismatch"))
    }

    @Test("Expired, or by nobody that is known: refused, or noted where it is not required")
    func authorityFailures() throws {
        let cases = [
            (self.world.expired, "certificate has expired"),
            (self.world.stranger, "self-signed certificate"),
            (self.world.foreign, "unable to get local issuer certificate"),
        ]
        for (files, words) in cases {
            let verification = try self.names("mx.example.test")
            #expect(try self.outcome(of: files, verification) == Outcome(failure: words))
            let relaxed = try self.outcome(of: files, verification, required: false)
            #expect(relaxed == Outcome(verification: .failed(words)))
        }
    }

    @Test("Services that share a context keep their own rules")
    func sharedContext() throws {
        let shared = try TLSService(TLSClientOptions())
        let good = self.world.good
        for _ in 0..<2 {
            let right = try self.names("mx.example.test")
            #expect(
                try self.outcome(of: good, right, contextOf: shared)
                    == Outcome(verification: .verified)
            )
            let wrong = try self.names("other.example.test")
            #expect(
                try self.outcome(of: good, wrong, contextOf: shared)
                    == Outcome(failure: "hostname mismatch")
            )
            #expect(
                try self.outcome(of: good, .none, contextOf: shared)
                    == Outcome(verification: .notAsked)
            )
        }
    }

    @Test("A resumed session is as good as the one it resumes, and no better", arguments: [0, 1])
    func resumption(isRight: Int) throws {
        var options = TLSClientOptions()
        options.resumesSessions = true
        let name = isRight == 1 ? "mx.example.test" : "other.example.test"
        options.verification = try self.names(name)
        let client = try TLSService(options)
        let keys = try TicketKeys(path: nil, hours: 1)
        let service = try TLSService.forTests([self.world.good]) { $0.ticketKeys = keys }
        let harness = try LoopHarness(tls: service)
        var verifications: [TLSFacts.ServerVerification?] = []
        harness.connect(3, client) { verifications.append($0.tls?.serverVerification) }
        #expect(harness.loop.handshakes.resumed == 4, "two, at either end")
        let expected: TLSFacts.ServerVerification =
            isRight == 1 ? .verified : .failed("hostname mismatch")
        #expect(verifications == [expected, expected, expected])
    }

    @Test("Names and records that could match anything are refused before anything is sent")
    func wrongOptions() throws {
        let record = try self.world.association(of: self.world.good, 3, 1, 1)
        var wrong: [TLSVerification] = []
        for names in [[], [""], ["mx.example.test", ""], [".example.test"], ["mx.example\0.test"]] {
            wrong.append(.authorities(try self.authorities(), names: names))
            wrong.append(.dane(records: [record], names: names))
        }
        let short = TLSAssociation(
            usage: 3,
            selector: 1,
            matchingType: 1,
            association: [UInt8](repeating: 7, count: 31)
        )
        let unknown = TLSAssociation(
            usage: 3,
            selector: 1,
            matchingType: 77,
            association: record.association
        )
        let authority = try self.world.association(of: self.world.good, 1, 1, 1)
        let empty = TLSAssociation(usage: 2, selector: 0, matchingType: 0, association: [])
        for records in [[], [short], [unknown], [authority], [empty]] {
            wrong.append(.dane(records: records, names: ["mx.example.test"]))
        }
        for verification in wrong {
            var options = TLSClientOptions()
            options.verification = verification
            #expect(throws: TLSError.self) { try TLSService(options) }
        }
        #expect(throws: TLSError.self) { try TLSAuthorities(path: "/nowhere") }
        #expect(throws: TLSError.self) { try TLSAuthorities(path: self.world.good.keyPath) }
    }

    // MARK: - DANE

    @Test(
        "Usage 3 vouches for a certificate or its key, whatever its names, times and signer",
        arguments: [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    )
    func endEntity(selector: UInt8, matchingType: UInt8) throws {
        let other = try self.world.association(of: self.world.foreign, 3, selector, matchingType)
        for files in [
            self.world.good, self.world.expired, self.world.stranger, self.world.nameless,
        ] {
            let record = try self.world.association(of: files, 3, selector, matchingType)
            let right = TLSVerification.dane(
                records: [other, record],
                names: ["unheard-of.example.test"]
            )
            #expect(try self.outcome(of: files, right) == Outcome(verification: .verified))
            let wrong = TLSVerification.dane(records: [other], names: ["mx.example.test"])
            let outcome = try self.outcome(of: files, wrong)
            #expect(outcome == Outcome(failure: "no matching DANE TLSA records"))
            let relaxed = try self.outcome(of: files, wrong, required: false)
            #expect(relaxed.verification == .failed("no matching DANE TLSA records"))
        }
    }

    @Test("Usage 2 vouches for an authority, for its names and while it is valid")
    func trustAnchor() throws {
        let root = try self.world.association(of: self.world.root, 2, 0, 1)
        func dane(_ names: String...) -> TLSVerification { .dane(records: [root], names: names) }
        let good = Outcome(verification: .verified)
        #expect(try self.outcome(of: self.world.good, dane("mx.example.test")) == good)
        // The next-hop domain counts beside the host (RFC 7672, section 3.2.2).
        #expect(
            try self.outcome(of: self.world.good, dane("other.example.test", "mx.example.test"))
                == good
        )
        let mismatch = try self.outcome(of: self.world.good, dane("other.example.test"))
        #expect(mismatch == Outcome(failure: "hostname mismatch"))
        let expired = try self.outcome(of: self.world.expired, dane("mx.example.test"))
        #expect(expired == Outcome(failure: "certificate has expired"))
        let foreign = try self.outcome(of: self.world.foreign, dane("mx.example.test"))
        #expect(foreign.verification == nil && foreign.failure != nil)
    }

    @Test("A record in full gives the authority that the server does not show")
    func trustAnchorInFull() throws {
        let whole = try self.world.association(of: self.world.root, 2, 0, 0)
        let verification = TLSVerification.dane(records: [whole], names: ["mx.example.test"])
        #expect(
            try self.outcome(of: self.world.unaccompanied, verification)
                == Outcome(verification: .verified)
        )
        let hash = try self.world.association(of: self.world.root, 2, 0, 1)
        let outcome = try self.outcome(
            of: self.world.unaccompanied,
            .dane(records: [hash], names: ["mx.example.test"])
        )
        #expect(outcome.verification == nil && outcome.failure != nil)
    }

    @Test("Records that count for nothing do no harm beside one that counts")
    func unusableBeside() throws {
        let good = try self.world.association(of: self.world.good, 3, 1, 1)
        let records = [
            TLSAssociation(usage: 255, selector: 1, matchingType: 1, association: [1]),
            TLSAssociation(usage: 3, selector: 9, matchingType: 1, association: good.association),
            try self.world.association(of: self.world.stranger, 0, 0, 1), good,
        ]
        let outcome = try self.outcome(
            of: self.world.good,
            .dane(records: records, names: ["mx.example.test"])
        )
        #expect(outcome == Outcome(verification: .verified))
        let others =
            Array(records.dropLast()) + [
                try self.world.association(of: self.world.expired, 3, 1, 1)
            ]
        let refused = try self.outcome(
            of: self.world.good,
            .dane(records: others, names: ["mx.example.test"])
        )
        #expect(refused == Outcome(failure: "no matching DANE TLSA records"))
    }
}
