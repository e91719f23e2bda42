// SPDX-License-Identifier: Apache-2.0

import MailBytes
import SASL
import Testing

@Suite struct MechanismTests {
    @Test func namesAreFoundInAnyCase() {
        for mechanism in SASLMechanism.allCases {
            let name = Array(mechanism.name.description.utf8)
            #expect(SASLMechanism(name: name.span) == mechanism)
            let lower = Array(mechanism.name.description.lowercased().utf8)
            #expect(SASLMechanism(name: lower.span) == mechanism)
            let longer = name + [0x53]
            #expect(SASLMechanism(name: longer.span) == nil)
        }
        for name in ["", "SCRAM-SHA-256-", "DIGEST-MD5", "ANONYMOUS", "PLAI", "SCRAM-SHA-1-PLUS"] {
            let octets = Array(name.utf8)
            #expect(SASLMechanism(name: octets.span) == nil)
        }
    }

    @Test func setsHoldWhatTheyAreGiven() {
        for mechanism in SASLMechanism.allCases {
            let only = SASLMechanismSet(mechanism)
            #expect(only.contains(mechanism))
            #expect(SASLMechanism.allCases.filter { only.contains($0) } == [mechanism])
            #expect(SASLMechanismSet.all.contains(mechanism))
            #expect(SASLMechanismSet.showingSecret.contains(mechanism) == mechanism.showsSecret)
        }
        var found: [SASLMechanism] = []
        SASLMechanismSet.all.forEach { found.append($0) }
        #expect(found == SASLMechanism.allCases)
        let secrets = SASLMechanism.allCases.filter(\.showsSecret)
        #expect(secrets == [.oauthBearer, .xoauth2, .plain, .login])
    }

    @Test func namesAreAnnouncedByPreference() {
        var replies = ReplyBuffer()
        SASLMechanismSet([.plain, .scramSHA256, .login]).appendNames(to: &replies)
        #expect(replies.span.copy() == Array(" SCRAM-SHA-256 PLAIN LOGIN".utf8))
        replies.removeAll()
        SASLMechanismSet([]).appendNames(to: &replies)
        #expect(replies.count == 0)
        SASLMechanismSet.all.appendNames(to: &replies)
        let all =
            " SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1 EXTERNAL OAUTHBEARER XOAUTH2 CRAM-MD5"
            + " PLAIN LOGIN"
        #expect(replies.span.copy() == Array(all.utf8))
    }
}
