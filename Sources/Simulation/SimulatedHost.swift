// SPDX-License-Identifier: Apache-2.0
//
// A host that takes mail, or would, if it were in a better mood.

internal import DNSProtocol
internal import MailBytes

/// One host of the simulated internet, over all connections to it.
final class SimulatedHost {
    /// How a host behaves, while it behaves so.
    enum Mood: CaseIterable {
        case honest
        /// Does what it should, most of the time.
        case troubled
        /// Refuses connections.
        case closed
        /// Answers nothing.
        case mute
        /// Turns everybody away at the door.
        case unwilling
        /// Says what has no meaning.
        case senseless
    }

    let world: VirtualWorld
    let name: String
    let addresses: [NetworkAddress]
    /// What it says to EHLO; nil: it knows HELO only.
    let extensions: Set<String>?
    /// What its TLSA records say.
    let tlsa: [DNSTLSA]
    /// Whether its certificate is what such records, or an authority, vouch for.
    let isCertificateGood: Bool
    /// How often a handshake fails: once in so many; 0: never.
    let failedHandshakeOneIn: Int
    private let mood: Mood
    /// It is in another mood from then on.
    private let honestFrom: Double
    /// Whom it has heard of before, for greylisting.
    private var known: Set<String> = []

    init(world: VirtualWorld, name: String, addresses: [NetworkAddress]) {
        self.world = world
        self.name = name
        self.addresses = addresses
        let all = [
            "PIPELINING", "DSN", "8BITMIME", "SMTPUTF8", "SIZE 100000", "CHUNKING", "STARTTLS",
            "ENHANCEDSTATUSCODES", "REQUIRETLS",
        ]
        self.extensions =
            world.oneIn(10) ? nil : Set(all.filter { _ in !world.oneIn(3) })
        let digest = [UInt8](repeating: 7, count: 32)
        self.tlsa =
            world.oneIn(3)
            ? [
                DNSTLSA(
                    usage: world.oneIn(4) ? 1 : 3,
                    selector: 1,
                    matchingType: 1,
                    association: digest
                )
            ] : []
        self.isCertificateGood = !world.oneIn(3)
        self.failedHandshakeOneIn = [0, 0, 2, 1][world.pick(4)]
        self.mood =
            world.oneIn(2)
            ? .honest : Mood.allCases[world.pick(Mood.allCases.count)]
        // Some never mend.
        self.honestFrom = world.oneIn(3) ? .infinity : world.now + world.between(0, 30_000)
    }

    var moodNow: Mood { self.world.now < self.honestFrom ? self.mood : .honest }

    /// Whether mail for it cannot be lost: what it once said it would take, it takes.
    var isReliable: Bool { self.mood == .honest }

    /// The reply to a recipient, by what his name begins with.
    func reply(to recipient: String) -> String {
        switch recipient.prefix(4) {
        case "gone": "550 5.1.1 no such user"
        case "full": "452 4.2.2 mailbox full"
        case "grey" where self.known.insert(recipient).inserted: "451 4.7.1 come back later"
        case "odd." where self.world.oneIn(2): "450 4.2.0 not now"
        case "odd." where self.world.oneIn(3): "553 5.1.3 not so"
        default: "250 2.1.5 fine"
        }
    }
}
