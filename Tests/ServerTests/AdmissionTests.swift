// SPDX-License-Identifier: Apache-2.0
//
// Who is let in: by number, by rate, and unless too many logins have failed.

import MailBytes
import Testing

@testable import Server

@Suite("Admission")
struct AdmissionTests {
    private func admission() -> Admission {
        var limits = ServerLimits()
        limits.connectionsPerClient = 2
        limits.connectionsPerClientMinute = 3
        return Admission(limits: limits)
    }

    private func client(
        _ number: UInt32,
        isExempt: Bool = false,
        isBanned: Bool = false
    ) -> Admission.Client {
        Admission.Client(
            key: NetworkAddress(ipv4: 0xc000_0200 + number, port: 0),
            isExempt: isExempt,
            isBanned: isBanned
        )
    }

    @Test("So many at once and so many a minute")
    func numbers() {
        var admission = self.admission()
        func enter(at now: Double) -> ServiceProfile.Refusal? {
            admission.enter(self.client(1), needsLogin: false, at: now)
        }
        let first = (0..<3).map { enter(at: Double($0)) }
        #expect(first == [nil, nil, .connectionsPerClient])
        admission.leave(self.client(1))
        let second = (3..<6).map { enter(at: Double($0)) }
        #expect(second == [nil, .connectionsPerClient, .connectionsPerClient])
        admission.leave(self.client(1))
        #expect(enter(at: 6) == .connectionRate)
        #expect(enter(at: 80) == nil)
        #expect(!admission.isEmpty)
        admission.leave(self.client(1))
        admission.leave(self.client(1))
        #expect(admission.isEmpty)
        let isLeft = [81.0, 200].map { admission.sweep(at: $0) }
        #expect(isLeft == [true, false])
    }

    @Test("A banned client is let in where nobody must log in")
    func banned() {
        var admission = self.admission()
        let banned = self.client(1, isBanned: true)
        let verdicts = [true, false].map { admission.enter(banned, needsLogin: $0, at: 0) }
        #expect(verdicts == [.banned, nil])
    }

    @Test("An exempt client is not counted")
    func exempt() {
        var admission = self.admission()
        let exempt = self.client(1, isExempt: true, isBanned: true)
        for _ in 0..<10 {
            let verdict = admission.enter(exempt, needsLogin: true, at: 0)
            #expect(verdict == nil)
        }
        #expect(admission.isEmpty)
        admission.leave(exempt)
        #expect(admission.isEmpty)
    }

    @Test("A connection that turns out to be another's is counted there")
    func moved() {
        var admission = self.admission()
        for _ in 0..<2 {
            let verdict = admission.enter(self.client(1), needsLogin: false, at: 0)
            #expect(verdict == nil)
        }
        let moves = [
            admission.move(from: self.client(1), to: self.client(2), needsLogin: true),
            admission.move(
                from: self.client(1),
                to: self.client(3, isBanned: true),
                needsLogin: true
            ),
            admission.move(from: self.client(1), to: self.client(2), needsLogin: true),
        ]
        #expect(moves == [true, false, true])
        let full = admission.move(
            from: self.client(9, isExempt: true),
            to: self.client(2),
            needsLogin: false
        )
        #expect(!full)
        admission.leave(self.client(2))
        let isMoved = admission.move(
            from: self.client(2),
            to: self.client(9, isExempt: true),
            needsLogin: false
        )
        #expect(isMoved && admission.isEmpty)
    }
}
