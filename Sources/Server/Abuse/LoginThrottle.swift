// SPDX-License-Identifier: Apache-2.0
//
// Failed logins, counted over all sessions and protocols: per client, so that whoever guesses gets
// slower and is then turned away for a while, and per account, so that many clients that guess at
// one account get slower together. No count ever closes an account: a stranger could use that to
// keep its owner out.

internal import MailBytes
internal import MailSyntax

/// What failed logins cost those who come after them.
struct LoginThrottle {
    /// The limits, in failures of the last `banSeconds`.
    struct Limits {
        /// So many failures of one client begin its ban.
        var failuresPerClient: Int
        /// From so many failures of one account on, strangers wait before they are heard.
        var failuresPerAccount: Int
        /// A ban lasts so long.
        var banSeconds: Double
        /// A failure is answered so many seconds after its login began, at least.
        var failureSeconds: Double
        /// Nobody waits longer than this.
        var delaySecondsMax: Double
        /// So many clients, and so many accounts, are remembered.
        var entriesMax: Int
    }

    /// What a failure leads to.
    struct Consequence: Equatable {
        /// Seconds from the beginning of the login to its answer.
        var delaySeconds: Double
        /// Whether the client is banned from now on.
        var beginsBan: Bool
    }

    private let limits: Limits
    private var clients: BoundedTable<NetworkAddress, Client>
    private var accounts: BoundedTable<Address, Account>

    /// A client that fails now and then, by a slip of the fingers or by trying one mechanism after
    /// the other, is not slowed down.
    private static let freeFailures = 3

    init(limits: Limits) {
        self.limits = limits
        self.clients = BoundedTable(entriesMax: limits.entriesMax)
        self.accounts = BoundedTable(entriesMax: limits.entriesMax)
    }

    /// Whether nothing is remembered.
    var isEmpty: Bool { self.clients.isEmpty && self.accounts.isEmpty }

    /// Whether the client may not try at all.
    func isBanned(_ client: NetworkAddress, at now: Double) -> Bool {
        guard let entry = self.clients[client] else { return false }
        return now < entry.bannedUntil
    }

    /// Seconds that a login waits before it is looked at: none, unless others fail at the account
    /// and this client is a stranger to it.
    func wait(before account: Address, from client: NetworkAddress, at now: Double) -> Double {
        guard let entry = self.accounts[account], !entry.knows(client) else { return 0 }
        let failures = entry.failures.count(at: now, window: self.limits.banSeconds)
        guard failures >= self.limits.failuresPerAccount else { return 0 }
        let over = failures - self.limits.failuresPerAccount + 1
        return min(Double(over) * self.limits.failureSeconds, self.limits.delaySecondsMax)
    }

    /// A login failed; `account` is nil when the name can be none, and an exempt client is not
    /// counted itself.
    mutating func failed(
        _ account: Address?,
        from client: NetworkAddress,
        isExempt: Bool,
        at now: Double
    ) -> Consequence {
        let limits = self.limits
        if let account {
            let fresh = Account(windowSeconds: limits.banSeconds)
            self.accounts.change(account, orNew: fresh, at: now) { entry in
                entry.failures.add(at: now, window: limits.banSeconds)
                entry.recordFailure(of: client)
            }
        }
        guard !isExempt else {
            return Consequence(delaySeconds: limits.failureSeconds, beginsBan: false)
        }
        let fresh = Client(windowSeconds: limits.banSeconds)
        return self.clients.change(client, orNew: fresh, at: now) { entry in
            entry.failures.add(at: now, window: limits.banSeconds)
            let count = entry.failures.count(at: now, window: limits.banSeconds)
            let beginsBan = count >= limits.failuresPerClient && now >= entry.bannedUntil
            if beginsBan {
                entry.bannedUntil = now + limits.banSeconds
                entry.failures = SlidingCount()
            }
            return Consequence(delaySeconds: Self.delay(after: count, limits), beginsBan: beginsBan)
        }
    }

    /// A login succeeded: what this client got wrong about this account is forgiven, and it is no
    /// stranger to it.
    ///
    /// What others got wrong still counts, and so does what it got wrong about
    /// other accounts: else who has one account could guess at all.
    mutating func succeeded(_ account: Address, from client: NetworkAddress) {
        var forgiven = 0
        self.accounts.changeIfThere(account) { forgiven = $0.recordSuccess(of: client) }
        guard forgiven > 0 else { return }
        self.clients.changeIfThere(client) { $0.failures.takeBack(forgiven) }
    }

    /// Forgets what is over.
    mutating func sweep(at now: Double) {
        self.clients.sweep(at: now)
        self.accounts.sweep(at: now)
    }

    /// Doubles with each failure that is not free.
    private static func delay(after failures: Int, _ limits: Limits) -> Double {
        let doublings = min(max(failures - self.freeFailures, 0), 16)
        let delay = limits.failureSeconds * Double(1 << doublings)
        return max(min(delay, limits.delaySecondsMax), limits.failureSeconds)
    }
}

extension LoginThrottle {
    private struct Client: Fading {
        let windowSeconds: Double
        var failures = SlidingCount()
        var bannedUntil: Double = -.infinity

        init(windowSeconds: Double) { self.windowSeconds = windowSeconds }

        func weight(at now: Double) -> Int {
            now < self.bannedUntil
                ? .max - 1 : self.failures.count(at: now, window: self.windowSeconds)
        }
    }

    private struct Account: Fading {
        let windowSeconds: Double
        var failures = SlidingCount()
        /// A few clients that were here last.
        private var visitors: [Visitor] = []

        private struct Visitor {
            let client: NetworkAddress
            var failures = 0
            /// Whether it has shown that it knows the password.
            var isKnown = false
        }

        private static let visitorsMax = 4

        init(windowSeconds: Double) { self.windowSeconds = windowSeconds }

        func weight(at now: Double) -> Int {
            self.failures.count(at: now, window: self.windowSeconds)
        }

        func knows(_ client: NetworkAddress) -> Bool {
            self.visitors.contains { $0.client == client && $0.isKnown }
        }

        mutating func recordFailure(of client: NetworkAddress) {
            if let index = self.visitors.firstIndex(where: { $0.client == client }) {
                self.visitors[index].failures += 1
            } else {
                self.welcome(Visitor(client: client, failures: 1))
            }
        }

        /// Returns how many failures are forgiven.
        mutating func recordSuccess(of client: NetworkAddress) -> Int {
            guard let index = self.visitors.firstIndex(where: { $0.client == client }) else {
                self.welcome(Visitor(client: client, isKnown: true))
                return 0
            }
            let forgiven = self.visitors[index].failures
            self.visitors[index].failures = 0
            self.visitors[index].isKnown = true
            self.failures.takeBack(forgiven)
            return forgiven
        }

        /// A stranger never takes the place of one that is known.
        private mutating func welcome(_ visitor: Visitor) {
            if self.visitors.count >= Self.visitorsMax {
                let stranger = self.visitors.firstIndex { !$0.isKnown }
                guard let index = stranger ?? (visitor.isKnown ? 0 : nil) else { return }
                self.visitors.remove(at: index)
            }
            self.visitors.append(visitor)
        }
    }
}
