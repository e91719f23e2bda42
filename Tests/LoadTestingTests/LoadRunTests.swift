// SPDX-License-Identifier: Apache-2.0

import EventLoop
import MailBytes
import Testing

@testable import LoadTesting

/// Whole runs against a server on the same loop whose behaviour each test chooses.
struct LoadRunTests {
    @Test func contentHasItsOctets() {
        for octets in [128, 129, 1000, 10_240] {
            let content = LoadScript.content(octets: octets)
            #expect(content.count == octets)
            #expect(content.suffix(2) == [0x0d, 0x0a])
            #expect(!String(decoding: content, as: UTF8.self).contains("\r\n."))
        }
    }

    @Test(arguments: LoadPlan.Scenario.allCases, [false, true])
    func everySessionSucceeds(_ scenario: LoadPlan.Scenario, isPipelined: Bool) throws {
        let world = try CannedWorld()
        var plan = world.plan(scenario)
        plan.isPipelined = isPipelined
        plan.messagesPerSession = 2
        let report = try #require(world.run(plan))
        #expect(report.sessions == 50)
        #expect(report.failures == 0)
        #expect(report.failureTexts == [])
        #expect(world.messagesReceived == (scenario == .smtp ? 100 : 0))
        #expect(world.openAtMost <= 4)
    }

    @Test func refusalsAreCounted() throws {
        let world = try CannedWorld()
        world.refusesRecipient = { $0 == "<u3@example.test>" }
        var plan = world.plan(.smtp)
        plan.users = 10
        plan.takesRecipientsInTurn = true
        let report = try #require(world.run(plan))
        #expect(report.failures == 5)
        #expect(report.sessions == 45)
        #expect(report.failureTexts.first == "smtp: not 250: 550 5.1.1 No")
    }

    @Test func wrongOctetCountsAreCounted() throws {
        let world = try CannedWorld()
        world.messageOctetsMissing = 1
        let report = try #require(world.run(world.plan(.retr)))
        #expect(report.failures == 50)
        #expect(report.failureTexts.first?.hasPrefix("retr: not the end of the message") == true)
    }

    @Test func lostConnectionsAreCounted() throws {
        let world = try CannedWorld()
        world.abortsAt = "STAT"
        let report = try #require(world.run(world.plan(.stat)))
        #expect(report.failures == 50)
        #expect(report.sessions == 0)
    }

    @Test func silenceIsAFailure() throws {
        let world = try CannedWorld()
        world.isSilentAt = "STAT"
        var plan = world.plan(.stat)
        plan.sessions = 4
        plan.sessionSecondsMax = 0.05
        let report = try #require(world.run(plan))
        #expect(report.failures == 4)
    }

    @Test func allConnectionsAreOpenTogether() throws {
        let world = try CannedWorld()
        var plan = world.plan(.smtp)
        plan.targets += world.plan(.stat).targets
        plan.connections = 300
        plan.sessions = 300
        plan.startsTogether = true
        plan.sources = 3
        let report = try #require(world.run(plan))
        #expect(report.sessions == 300)
        #expect(world.openAtMost == 300)
    }

    @Test func noMaildropIsOpenTwice() throws {
        let world = try CannedWorld()
        var plan = world.plan(.stat)
        plan.users = 4
        let report = try #require(world.run(plan))
        #expect(report.failures == 0)
        #expect(world.readersOfOneMaildropAtMost == 1)
    }

    @Test func sameSeedSameRecipients() throws {
        let recipients = try [7, 7, 8].map { seed in
            let world = try CannedWorld()
            var plan = world.plan(.smtp)
            plan.seed = UInt64(seed)
            plan.connections = 1
            _ = world.run(plan)
            return world.recipients
        }
        #expect(recipients[0] == recipients[1])
        #expect(recipients[0] != recipients[2])
    }

    @Test func idleConnectionsAreHeld() throws {
        let world = try CannedWorld()
        let hold = IdleHold(200, to: [world.address(.smtp)], sources: 2, on: world.loop)
        var heldCount = 0
        hold.start { held, _ in
            heldCount = held
            world.loop.stop()
        }
        world.runLoop()
        #expect(heldCount == 200)
        #expect(world.openAtMost == 200)
    }

    @Test func sharesOfTimes() {
        var report = LoadReport(expecting: 100)
        for time in 1...100 { report.sessionSucceeded(in: .milliseconds(time)) }
        #expect(report.milliseconds(atShares: [0.5, 0.99, 1]) == [51, 100, 100])
        #expect(LoadReport(expecting: 0).milliseconds(atShares: [0.5]) == [0])
    }
}
