// SPDX-License-Identifier: Apache-2.0
//
// Logins: what they tell, how long they take, and what a change of a password means for them.

import Credentials
import MailSyntax
import Simulation
import Testing

@testable import Server

/// Lets a test decide when passwords are checked.
private final class HeldPasswords: PasswordChecker {
    weak var server: MailServer?
    private(set) var waiting: [(attempt: LoginAttempt, ticket: Ticket)] = []

    func check(_ attempt: LoginAttempt, for ticket: Ticket) -> Bool {
        guard self.waiting.count < 2 else { return false }
        self.waiting.append((attempt, ticket))
        return true
    }

    func release() {
        let all = self.waiting
        self.waiting = []
        for (attempt, ticket) in all {
            self.server?.answered(.judged(attempt.judge()), for: ticket)
        }
    }
}

@Suite("Logins")
struct LoginTests {
    @Test(
        "Refused logins look the same, in words and in time",
        arguments: [
            "USER anna\r\nPASS wrong\r\n", "USER nobody\r\nPASS wrong\r\n",
            "USER anna@elsewhere.test\r\nPASS secret\r\n", "USER not an address\r\nPASS x\r\n",
            "USER postmaster\r\nPASS x\r\n",
            "APOP anna 0123456789abcdef0123456789abcdef\r\n",
            "APOP nobody 0123456789abcdef0123456789abcdef\r\n",
        ]
    )
    func refused(commands: String) throws {
        let test = try ServerUnderTest()
        let client = test.connect(.pop3)
        let start = test.world.now
        client.stream.arrive(Array(commands.utf8))
        while !client.lastLine.hasPrefix("-ERR"), test.world.now < start + 10 {
            test.world.run(for: 0.001)
        }
        // What a reply takes on its way varies by a fifth of a second.
        #expect((0.99...1.21).contains(test.world.now - start))
        // Its end may come later than its beginning.
        test.world.run(for: 1)
        #expect(client.lastLine == "-ERR [AUTH] invalid user name or password")
    }

    @Test("A good login is not delayed")
    func accepted() throws {
        let test = try ServerUnderTest()
        let client = test.connect(.pop3)
        client.say("USER anna\r\nPASS secret\r\n", for: 0.5)
        #expect(client.lastLine.hasPrefix("+OK maildrop has"))
    }

    @Test("APOP opens the maildrop of who chose it, and of nobody else")
    func apop() throws {
        let test = try ServerUnderTest()
        try test.addAccount("apop@example.test", apop: true)
        for (user, expected) in [("apop", "+OK maildrop has"), ("anna", "-ERR [AUTH]")] {
            let client = test.connect(.pop3)
            let greeting = client.lastLine
            let start = try #require(greeting.firstIndex(of: "<"))
            let digest = MD5.hexadecimal(String(greeting[start...]) + ServerUnderTest.secret)
            client.say("APOP \(user) \(digest)\r\n", for: 2)
            #expect(client.lastLine.hasPrefix(expected))
        }
    }

    @Test("One session has a maildrop; the lock goes when the session does")
    func exclusive() throws {
        let test = try ServerUnderTest()
        let first = test.logIn()
        #expect(test.logIn().lastLine.hasPrefix("-ERR [IN-USE]"))
        first.stream.reset()
        test.world.run(for: 1)
        let second = test.logIn()
        #expect(second.lastLine.hasPrefix("+OK maildrop has"))
        second.say("QUIT\r\n")
        #expect(test.logIn("ANNA@Example.Test").lastLine.hasPrefix("+OK maildrop has"))
    }

    @Test("Where a delay between logins is announced, it is kept")
    func delay() throws {
        let test = try ServerUnderTest { $0.loginDelaySeconds = 60 }
        test.logIn().say("QUIT\r\n")
        let second = test.logIn()
        #expect(second.lastLine.hasPrefix("-ERR [LOGIN-DELAY]"))
        test.world.run(for: 60)
        second.say("USER anna\r\nPASS secret\r\n")
        #expect(second.lastLine.hasPrefix("+OK maildrop has"))
    }

    @Test("Too many logins at once are put off, not refused")
    func overload() throws {
        let passwords = HeldPasswords()
        let test = try ServerUnderTest(passwords: passwords)
        passwords.server = test.server
        for name in ["b", "c"] { try test.addAccount("\(name)@example.test") }
        let clients = ["anna", "b", "c"].map { test.logIn($0) }
        #expect(clients[2].lastLine.hasPrefix("-ERR [SYS/TEMP]"))
        passwords.release()
        test.world.run(for: 1)
        #expect(clients[0].lastLine.hasPrefix("+OK maildrop has"))
    }
}

@Suite("Changes of accounts")
struct AccountChangeTests {
    private func change(_ password: String, of test: ServerUnderTest) throws {
        let control = test.connectControl()
        let request = AdministrationRequest.setPassword(
            try #require(Address(parsing: "anna@example.test")),
            verifier: PasswordRecord.forSimulation(password: Array(password.utf8)),
            secret: nil
        )
        control.say(String(decoding: request.line, as: UTF8.self) + "\n")
        #expect(control.text == ".\tdone\n")
    }

    @Test("A changed password is out of every memory before the command returns")
    func passwordChanged() throws {
        let test = try ServerUnderTest()
        test.logIn().say("QUIT\r\n")
        try self.change("other", of: test)
        let old = test.connect(.pop3)
        old.say("USER anna\r\nPASS secret\r\n", for: 2)
        #expect(old.lastLine.hasPrefix("-ERR [AUTH]"))
        old.say("USER anna\r\nPASS other\r\n", for: 2)
        #expect(old.lastLine.hasPrefix("+OK maildrop has"))
    }

    @Test("A verdict under way when the password changes is worth nothing")
    func verdictUnderWay() throws {
        let passwords = HeldPasswords()
        let test = try ServerUnderTest(passwords: passwords)
        passwords.server = test.server
        let client = test.logIn()
        try self.change("other", of: test)
        passwords.release()
        test.world.run(for: 1)
        #expect(!client.lastLine.hasPrefix("+OK maildrop"))
        passwords.release()
        test.world.run(for: 2)
        #expect(client.lastLine.hasPrefix("-ERR [AUTH]"))
        // Nor was it remembered.
        client.say("USER anna\r\nPASS secret\r\n")
        #expect(passwords.waiting.count == 1)
    }

    @Test("The change counts even when its command has gone away")
    func commandGone() throws {
        let test = try ServerUnderTest()
        test.logIn().say("QUIT\r\n")
        let control = test.connectControl()
        control.stream.arrive(Array("user-remove\tanna@example.test\n".utf8))
        control.stream.reset()
        test.world.run(for: 1)
        let client = test.connect(.pop3)
        client.say("USER anna\r\nPASS secret\r\n", for: 2)
        #expect(client.lastLine.hasPrefix("-ERR [AUTH]"))
    }

    @Test("An open session of a removed account finds nothing, and deletes nothing")
    func accountRemoved() throws {
        let test = try ServerUnderTest()
        test.deliver("Subject: x\r\n\r\n")
        let client = test.logIn()
        client.say("LIST\r\nDELE 1\r\nRSET\r\n")
        let control = test.connectControl()
        control.say("user-remove\tanna@example.test\n")
        #expect(control.text == ".\tdone\n")
        client.say("RETR 1\r\n")
        #expect(client.lastLine.hasPrefix("-ERR "))
        client.say("DELE 1\r\nQUIT\r\n")
        #expect(client.lastLine.hasPrefix("-ERR "))
        // The same name again is another maildrop.
        try test.addAccount("anna@example.test")
        #expect(test.logIn().lastLine == "+OK maildrop has 0 messages (0 octets)")
    }

    @Test("An address that became unknown, or known, is so at once")
    func addressChanged() throws {
        let test = try ServerUnderTest()
        #expect(test.deliver("x").hasPrefix("250 "))
        let control = test.connectControl()
        control.say("user-remove\tanna@example.test\n")
        let client = test.connect(.smtp)
        client.say("HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\n")
        #expect(client.lastLine.hasPrefix("550 5.1.1 "))
        control.say("alias-add\tanna@example.test\tpostmaster@example.test\n")
        client.say("RCPT TO:<anna@example.test>\r\n")
        #expect(client.lastLine.hasPrefix("250 2.1.5 "))
    }
}
