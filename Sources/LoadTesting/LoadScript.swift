// SPDX-License-Identifier: Apache-2.0
//
// The exchanges of each scenario. What is the same in all sessions is made once.

internal import MailBytes

/// Makes the exchanges of sessions.
struct LoadScript {
    private let plan: LoadPlan
    private let greetings: (smtp: Exchange, pop3: Exchange)
    private let hello: Exchange
    private let transaction: (mail: Exchange, data: Exchange, content: Exchange)
    private let quits: (smtp: Exchange, pop3: Exchange)
    private let password: Exchange
    private let listings: (drop: Exchange, scan: Exchange, uniqueIDs: Exchange)

    init(_ plan: LoadPlan) {
        self.plan = plan
        self.greetings = (Exchange("", .code(220)), Exchange("", .status))
        self.hello = Exchange("EHLO load.\(plan.domain)\r\n", .code(250))
        self.transaction = (
            Exchange("MAIL FROM:<load@\(plan.domain)>\r\n", .code(250)),
            Exchange("DATA\r\n", .code(354)),
            Exchange(
                octets: Self.content(octets: plan.messageOctets) + Array(".\r\n".utf8),
                [.code(250)]
            )
        )
        self.quits = (Exchange("QUIT\r\n", .code(221)), Exchange("QUIT\r\n", .status))
        self.password = Exchange("PASS \(plan.password)\r\n", .status)
        self.listings = (
            Exchange("STAT\r\n", .dropListing),
            Exchange("LIST\r\n", .scanListing),
            Exchange("UIDL\r\n", .uniqueIDs)
        )
    }

    /// What the server says first.
    func greeting(of scenario: LoadPlan.Scenario) -> Exchange {
        scenario == .smtp ? self.greetings.smtp : self.greetings.pop3
    }

    /// A POP3 session that does nothing.
    var farewell: [Exchange] { [self.quits.pop3] }

    /// A session that sends a message to each of the recipients.
    func submission(to recipients: [Int]) -> [Exchange] {
        var exchanges = [self.hello]
        for recipient in recipients {
            let rcpt = Exchange("RCPT TO:<\(self.plan.mailbox(recipient))>\r\n", .code(250))
            exchanges += self.inGroups([self.transaction.mail, rcpt, self.transaction.data])
            exchanges.append(self.transaction.content)
        }
        exchanges.append(self.quits.smtp)
        return exchanges
    }

    /// The first part of a POP3 session: up to the listings.
    func login(_ user: Int, listing scenario: LoadPlan.Scenario) -> [Exchange] {
        let name = Exchange("USER \(self.plan.mailbox(user))\r\n", .status)
        guard scenario == .retr else {
            return self.inGroups([name, self.password, self.listings.drop, self.quits.pop3])
        }
        return self.inGroups([
            name, self.password, self.listings.drop, self.listings.scan, self.listings.uniqueIDs,
        ])
    }

    /// The second part, when it is known how many messages there are.
    func retrieval(ofMessages count: Int) -> [Exchange] {
        let retrievals = (0..<count).map { Exchange("RETR \($0 + 1)\r\n", .message($0 + 1)) }
        return self.inGroups(retrievals + [self.quits.pop3])
    }

    private func inGroups(_ exchanges: [Exchange]) -> [Exchange] {
        guard self.plan.isPipelined, let first = exchanges.first else { return exchanges }
        return [exchanges.dropFirst().reduce(first, +)]
    }

    /// Content of exactly so many octets, in lines none of which begins with a dot.
    static func content(octets: Int) -> [UInt8] {
        var content = Array("From: <load@example.test>\r\nSubject: load\r\n\r\n".utf8)
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 62) + [.cr, .lf]
        while octets - content.count > 2 * line.count { content += line }
        let rest = max(octets - content.count - 2, 0)
        return content + [UInt8](repeating: UInt8(ascii: "x"), count: rest) + [.cr, .lf]
    }
}
