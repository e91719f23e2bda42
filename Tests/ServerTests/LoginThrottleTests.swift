// SPDX-License-Identifier: Apache-2.0
//
// Failed logins as clients meet them: slower, then banned, over all sessions; and whose owners
// come in all the same.

import MailBytes
import Simulation
import Testing

@testable import Server

@Suite("Failed logins of clients")
struct LoginThrottlingTests {
    private static let attacker = NetworkAddress(ipv4: 0xc633_6401, port: 7)

    private func fail(_ client: Client, _ user: String = "anna", for seconds: Double = 9) {
        client.say("USER \(user)\r\nPASS wrong\r\n", for: seconds)
    }

    @Test("A client that fails in session after session is banned for a while, others are not")
    func ban() throws {
        let test = try ServerUnderTest {
            $0.loginFailuresPerClient = 4
            $0.loginBanSeconds = 600
        }
        let open = test.connect(.pop3, from: Self.attacker)
        for user in ["anna", "nobody", "anna", "not an address"] {
            let client = test.connect(.pop3, from: Self.attacker)
            self.fail(client, user)
            #expect(client.lastLine == "-ERR [AUTH] invalid user name or password")
            client.say("QUIT\r\n")
        }
        // Its open session gets no more attempts, not even with the right password.
        open.say("USER anna\r\nPASS secret\r\n", for: 3)
        #expect(open.lastLine.hasPrefix("-ERR [SYS/TEMP]"))
        let next = test.connect(.pop3, from: Self.attacker)
        #expect(next.isClosed)
        #expect(next.lastLine == "-ERR [SYS/TEMP] Too many failed logins, try again later")
        // It may still send mail to those who are here.
        let mail = test.connect(.smtp, from: Self.attacker)
        #expect(mail.lastLine.hasPrefix("220 "))
        #expect(test.logIn().lastLine.hasPrefix("+OK maildrop has"))
        test.world.run(for: 610)
        let later = test.connect(.pop3, from: Self.attacker)
        later.say("USER anna\r\nPASS wrong\r\n", for: 2)
        #expect(later.lastLine.hasPrefix("-ERR [AUTH]"))
    }

    @Test("Many guesses at once are no more than guesses one by one")
    func parallel() throws {
        let test = try ServerUnderTest { $0.loginFailuresPerClient = 4 }
        try test.addAccount("bert@example.test")
        let clients = (0..<12).map { _ in test.connect(.pop3, from: Self.attacker) }
        for (index, client) in clients.enumerated() {
            // The right one may come early enough, but forgives nothing.
            let guess = index < 11 ? "USER anna\r\nPASS wrong" : "USER bert\r\nPASS secret"
            client.stream.arrive(Array("\(guess)\r\n".utf8))
        }
        test.world.run(for: 10)
        let answers = clients.map(\.lastLine)
        #expect(answers.count { $0.hasPrefix("-ERR [AUTH]") } <= 4)
        #expect(answers.count { $0.hasPrefix("-ERR [SYS/TEMP]") } >= 7)
    }

    @Test("An exempt client is never banned")
    func exempt() throws {
        let test = try ServerUnderTest(exemptsLoopback: true) { $0.loginFailuresPerClient = 2 }
        for _ in 0..<6 {
            let client = test.connect(.pop3, from: NetworkAddress(ipv4: 0x7f00_0001, port: 1))
            self.fail(client, for: 2)
            #expect(client.lastLine.hasPrefix("-ERR [AUTH]"))
        }
    }

    @Test("While many guess at an account, its owner waits once, and then no more")
    func owner() throws {
        let test = try ServerUnderTest { $0.loginFailuresPerAccount = 5 }
        for number in 0..<12 {
            let peer = NetworkAddress(ipv4: 0xc633_6400 + UInt32(number), port: 1)
            test.connect(.pop3, from: peer).say("USER anna\r\nPASS wrong\r\n", for: 10)
        }
        let owner = test.connect(.pop3)
        owner.say("USER anna\r\nPASS secret\r\n", for: 6)
        #expect(owner.lastLine == "+OK send PASS")
        test.world.run(for: 4)
        #expect(owner.lastLine.hasPrefix("+OK maildrop has"))
        owner.say("QUIT\r\n")
        // Its password is remembered now, and yet a guesser does not hear at once that it is right.
        let stranger = test.connect(.pop3, from: Self.attacker)
        stranger.say("USER anna\r\nPASS secret\r\n", for: 6)
        #expect(stranger.lastLine == "+OK send PASS")
        test.world.run(for: 4)
        #expect(stranger.lastLine.hasPrefix("+OK maildrop has"))
        stranger.say("QUIT\r\n")
        // Its password is remembered; a new one is not, but the client is known.
        let control = test.connectControl()
        control.say("user-remove\tanna@example.test\n")
        try test.addAccount("anna@example.test")
        let again = test.connect(.pop3)
        again.say("USER anna\r\nPASS secret\r\n", for: 1)
        #expect(again.lastLine.hasPrefix("+OK maildrop has"))
    }

    @Test("While many guess at an account, exempt clients do not wait")
    func exemptOwner() throws {
        let test = try ServerUnderTest(exemptsLoopback: true) { $0.loginFailuresPerAccount = 5 }
        for number in 0..<12 {
            let peer = NetworkAddress(ipv4: 0xc633_6400 + UInt32(number), port: 1)
            test.connect(.pop3, from: peer).say("USER anna\r\nPASS wrong\r\n", for: 10)
        }
        let owner = test.connect(.pop3, from: NetworkAddress(ipv4: 0x7f00_0001, port: 1))
        owner.say("USER anna\r\nPASS secret\r\n", for: 1)
        #expect(owner.lastLine.hasPrefix("+OK maildrop has"))
    }

    @Test("When all is over, nothing is remembered")
    func forgotten() throws {
        let test = try ServerUnderTest()
        self.fail(test.connect(.pop3, from: Self.attacker))
        #expect(test.server.remembersAbuse)
        test.world.run(for: 2000)
        #expect(!test.server.remembersAbuse)
    }
}
