// SPDX-License-Identifier: Apache-2.0
//
// How long logins take where there is an account and where there is none. The least of many times
// is compared: it is what the work itself takes, whatever else the machine does meanwhile.

import EventLoop
import MailSyntax
import SASL
import Testing

@testable import Credentials
@testable import MailStore
@testable import Server

@Suite("The time that logins take", .serialized)
struct LoginTimingTests {
    private static func account(_ verifier: [UInt8], secret: [UInt8]? = nil) throws -> AccountRecord
    {
        AccountRecord(
            id: AccountID(rawValue: 1),
            address: try #require(Address(parsing: "anna@example.test")),
            verifier: verifier,
            recoverableSecret: secret,
            quota: nil
        )
    }

    /// The least seconds that each takes, done in turn until they are `enough`.
    ///
    /// A machine that is busy makes some of them look slow for long; no number of rounds makes
    /// works that differ look alike.
    private static func least(
        _ works: [() -> Void],
        roundsMax: Int,
        until enough: ([Double]) -> Bool
    ) -> [Double] {
        let clock = ContinuousClock()
        var least = works.map { _ in Double.infinity }
        for _ in 0..<roundsMax {
            for (index, work) in works.enumerated() {
                least[index] = min(least[index], clock.measure(work) / .seconds(1))
            }
            if enough(least) { break }
        }
        return least
    }

    private static func areAlike(_ times: [Double]) -> Bool {
        times.allSatisfy { (0.8...1.25).contains($0 / times[0]) }
    }

    @Test("A wrong password costs a worker the same, whether there is an account or not")
    func passwords() throws {
        let wrong = Array("wrong".utf8)
        let record = PasswordRecord(derivingFrom: Array("secret".utf8))
        let known = LoginAttempt(account: try Self.account(record.text), proof: .password(wrong))
        let locked = LoginAttempt(account: try Self.account([]), proof: .password(wrong))
        let unknown = LoginAttempt(account: nil, proof: .password(wrong))
        let works = [known, locked, unknown].map { attempt in { _ = attempt.judge() } }
        let times = Self.least(works, roundsMax: 400, until: Self.areAlike)
        #expect(times[0] > 0.001, "\(times)")
        #expect(Self.areAlike(times), "\(times)")
    }

    @Test("The salt of who exists is found as fast as that of who does not")
    func salts() throws {
        let test = try ServerUnderTest()
        let record = PasswordRecord(derivingFrom: Array("secret".utf8))
        let account = try Self.account(record.text)
        let works = [account, nil].map { account in
            {
                var login = test.server.authenticator.login(
                    Array("anna@example.test".utf8),
                    .scram(.sha256, channelBinding: nil),
                    for: "pop3"
                )
                login.account = account
                _ = test.server.authenticator.offer(&login, .sha256, nil)
            }
        }
        func isShort(_ times: [Double]) -> Bool { times[0] - times[1] < 0.0005 }
        let times = Self.least(works, roundsMax: 1000, until: isShort)
        // Reading the keys of the account is all that differs: microseconds, where the way over
        // the reader's thread and the network takes a hundred times as long.
        #expect(isShort(times), "\(times)")
    }
}
