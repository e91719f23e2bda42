// SPDX-License-Identifier: Apache-2.0

import MailSyntax
import Simulation
import Testing

@testable import Server

private func address(_ text: String) throws -> Address { try #require(Address(parsing: text)) }

@Suite("The control socket")
struct ControlTests {
    @Test("Fields of any octets come back as they were")
    func fields() {
        let all = (0...255).map { UInt8($0) }
        let samples: [[[UInt8]]] = [
            [], [[]], [[], []], [all], [all, [], all], [Array("%41".utf8)], [[0x09], [0x0a]],
        ]
        for fields in samples {
            let line = ControlLine.encode(fields)
            #expect(!line.contains(0x0a))
            #expect(ControlLine.decode(line) == (fields.isEmpty ? [[]] : fields))
        }
    }

    @Test("What is no line of fields", arguments: ["%", "a%4", "%zz", "a\t%1"])
    func malformed(line: String) {
        #expect(ControlLine.decode(Array(line.utf8)) == nil)
    }

    @Test("Requests come back as they were")
    func requests() throws {
        let anna = try address("anna@example.test")
        let requests: [AdministrationRequest] = [
            .addAccount(anna, verifier: [1, 9, 10, 37], secret: [32], quota: 5),
            .addAccount(anna, verifier: [], secret: nil, quota: nil),
            .setPassword(anna, verifier: [7], secret: [9]),
            .setPassword(anna, verifier: [7], secret: nil),
            .removeAccount(anna), .setQuota(anna, 12), .setQuota(anna, nil),
            .accounts(after: nil, count: 1), .accounts(after: anna, count: 1000),
            .addAlias(anna, [try address("b@example.test"), try address("c@example.test")]),
            .removeAlias(anna), .aliases(after: nil, count: 7), .aliases(after: anna, count: 7),
        ]
        for request in requests {
            #expect(AdministrationRequest(line: request.line) == request)
        }
    }

    @Test(
        "What is no request",
        arguments: [
            "", "user-add", "user-add\ta@b\tv\ts", "user-add\tno address\tv\t\t",
            "user-add\ta@b\tv\t\tmany", "user-list\t\t0", "user-list\t\t1001", "user-list\t\t",
            "user-quota\ta@b\tx", "alias-add\ta@b\tno address", "alias-add\ta@b", "drop",
            "user-remove\t", "user-remove\ta@b\tc",
        ]
    )
    func noRequest(line: String) {
        #expect(AdministrationRequest(line: Array(line.utf8)) == nil)
    }

    @Test("Addresses of foreign domains are refused, as accounts and as targets")
    func foreign() throws {
        let ours = try address("a@example.test")
        let theirs = try address("a@elsewhere.test")
        let domains = ["Example.test"]
        func refusal(_ request: AdministrationRequest) -> String? {
            request.refusal(localDomains: domains)
        }
        #expect(refusal(.addAccount(ours, verifier: [], secret: nil, quota: nil)) == nil)
        #expect(refusal(.addAccount(theirs, verifier: [], secret: nil, quota: nil)) != nil)
        #expect(refusal(.addAlias(ours, [ours])) == nil)
        #expect(refusal(.addAlias(theirs, [ours])) != nil)
        #expect(refusal(.addAlias(ours, [ours, theirs])) == nil)
        // What is there may be removed whatever the domains are now.
        #expect(refusal(.removeAccount(theirs)) == nil)
    }

    @Test("Only root and the user of the server are let in", arguments: [0, 1000, 1001, nil])
    func user(id: UInt32?) throws {
        let test = try ServerUnderTest()
        let client = test.connectControl(user: id)
        client.say("user-list\t\t10\n")
        if id == 0 || id == 1000 {
            #expect(client.text.hasSuffix(".\tdone\n"))
        } else {
            #expect(client.isClosed)
            #expect(client.text == "")
        }
    }

    @Test("Many changes are under way at once, and answered in order")
    func pipelined() throws {
        let test = try ServerUnderTest()
        let client = test.connectControl()
        var text = ""
        for number in 0..<2000 {
            text += "user-add\tu\(number)@example.test\tv\t\t\n"
            if number % 500 == 499 { text += "user-add\tu0@example.test\tv\t\t\nnonsense\n" }
        }
        text += "user-list\tu1999@example.test\t5\n"
        client.say(text, for: 60)
        let lines = client.text.split(separator: "\n").map(String.init)
        #expect(lines.count == 2014)
        #expect(lines.count { $0 == ".\tdone" } == 2001)
        let complaints = lines.filter { $0.hasPrefix("!") }
        #expect(complaints.count == 8)
        for (index, complaint) in complaints.enumerated() {
            #expect(complaint.contains(index.isMultiple(of: 2) ? "already" : "not a request"))
        }
        #expect(lines.suffix(6).map { $0.prefix(2) } == ["=\t", "=\t", "=\t", "=\t", "=\t", ".\t"])
        client.stream.peerShutDown()
        test.world.run(for: 1)
        #expect(client.isClosed)
    }

    @Test("A line without an end is the end")
    func endless() throws {
        let test = try ServerUnderTest()
        let client = test.connectControl()
        client.say(String(repeating: "x", count: ControlLine.octetsMax + 1))
        #expect(client.text == "!\tthe line is too long\n")
        #expect(client.isClosed)
    }

    @Test("A change under way is answered before the server ends")
    func stopping() throws {
        let test = try ServerUnderTest()
        let client = test.connectControl()
        client.stream.arrive(Array("user-add\tnew@example.test\tv\t\t\n".utf8))
        var isDone = false
        test.server.stop { isDone = true }
        test.world.run(for: 2)
        #expect(client.text == ".\tdone\n")
        #expect(client.isClosed)
        #expect(isDone)
    }
}
