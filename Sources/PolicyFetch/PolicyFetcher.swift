// SPDX-License-Identifier: Apache-2.0
//
// Fetches the policies of MTA-STS (RFC 8461) over HTTPS: libcurl on the event loop.

internal import CCurl
package import EventLoop
package import MailBytes

/// How policies are fetched.
package struct PolicyFetchSettings: Sendable {
    /// A file of certificates in PEM that the servers' must lead to; nil is the system's.
    package var authoritiesFile: String?
    package var port: UInt16 = 443
    /// For the whole fetch.
    package var secondsMax: Double = 30
    /// Longer policies are refused (RFC 8461, section 3.3, suggests this limit).
    package var octetsMax = 65_536
    /// How many fetches are under way at once; the others wait.
    package var inFlightMax = 4
    /// How many fetches wait; further ones fail.
    package var waitingMax = 1024

    package init() {}
}

/// Why there is no policy.
package enum PolicyFetchError: Error, Hashable, Sendable {
    case timedOut
    /// The server's certificate is not good for the policy's host; and why.
    case certificate(String)
    /// No connection, or one that broke; and why.
    case unreachable(String)
    /// An answer of HTTP other than 200, redirections among them.
    case status(Int)
    /// The answer is not text/plain.
    case mediaType(String)
    case tooLong
    /// Too many fetches wait.
    case busy
}

/// A fetch that was begun and has not ended; for `PolicyFetcher.cancel`.
package struct PolicyFetch: Hashable, BitwiseCopyable, Sendable {
    package let number: UInt64

    package init(number: UInt64) { self.number = number }
}

/// Fetches policies, without ever blocking the loop.
///
/// What was fetched comes in a later turn of the loop, never inside the call; nothing comes after
/// `cancel`, nor after the fetcher is gone. Names are not looked up here: the addresses are given,
/// so that libcurl needs neither a thread nor getaddrinfo.
package final class PolicyFetcher {
    private struct Waiting {
        let number: UInt64
        let domain: String
        let addresses: [NetworkAddress]
        let done: (Result<[UInt8], PolicyFetchError>) -> Void
    }

    private let loop: EventLoop
    private let settings: PolicyFetchSettings
    private let multi: CurlMulti?
    private var transfers: [UInt64: CurlTransfer] = [:]
    private var waiting: [Waiting] = []
    /// Fetches that ended before they began; each is told of in a later turn.
    private var refusals: [UInt64: Timer] = [:]
    private var lastNumber: UInt64 = 0

    package init(loop: EventLoop, settings: PolicyFetchSettings) {
        self.loop = loop
        self.settings = settings
        self.multi = CurlMulti(loop: loop)
        self.multi?.done = { [unowned self] transfer, result in self.finish(transfer, result) }
    }

    deinit {
        for timer in self.refusals.values { timer.cancel() }
        for transfer in self.transfers.values { self.multi?.remove(transfer) }
    }

    /// The most descriptors that a fetcher with these settings has open at once.
    package static func descriptorsMax(_ settings: PolicyFetchSettings) -> Int {
        // One connection for each family of addresses, and libcurl's own two.
        settings.inFlightMax * 2 + 2
    }

    /// Fetches `https://mta-sts.DOMAIN/.well-known/mta-sts.txt` from one of the addresses of
    /// mta-sts.DOMAIN; the domain in A-labels, the ports of the addresses ignored.
    @discardableResult
    package func fetch(
        domain: String,
        addresses: [NetworkAddress],
        done: @escaping (Result<[UInt8], PolicyFetchError>) -> Void
    ) -> PolicyFetch {
        self.lastNumber += 1
        let fetch = Waiting(
            number: self.lastNumber,
            domain: domain,
            addresses: addresses.filter { $0.family != .unix },
            done: done
        )
        if !Self.isDomain(domain) {
            self.refuse(fetch, .unreachable("\(domain.utf8.count) octets are no domain"))
        } else if fetch.addresses.isEmpty {
            self.refuse(fetch, .unreachable("mta-sts.\(domain) has no address"))
        } else if self.waiting.count >= self.settings.waitingMax {
            self.refuse(fetch, .busy)
        } else {
            self.waiting.append(fetch)
            self.beginWaiting()
        }
        return PolicyFetch(number: fetch.number)
    }

    /// Nobody waits for the policy any more; does nothing for a fetch that has ended.
    package func cancel(_ fetch: PolicyFetch) {
        self.refusals.removeValue(forKey: fetch.number)?.cancel()
        if let transfer = self.transfers.removeValue(forKey: fetch.number) {
            self.multi?.remove(transfer)
            self.beginWaiting()
        } else {
            self.waiting.removeAll { $0.number == fetch.number }
        }
    }

    /// Begins what waits, as far as there is room.
    private func beginWaiting() {
        while self.transfers.count < self.settings.inFlightMax, !self.waiting.isEmpty {
            let fetch = self.waiting.removeFirst()
            let transfer = CurlTransfer(
                number: fetch.number,
                host: "mta-sts.\(fetch.domain)",
                addresses: fetch.addresses,
                settings: self.settings,
                done: fetch.done
            )
            guard let transfer, self.multi?.add(transfer) ?? false else {
                self.refuse(fetch, .unreachable("libcurl does not take the fetch"))
                continue
            }
            self.transfers[fetch.number] = transfer
        }
    }

    private func refuse(_ fetch: Waiting, _ error: PolicyFetchError) {
        self.refusals[fetch.number] = self.loop.after(seconds: 0) { [weak self] in
            guard self?.refusals.removeValue(forKey: fetch.number) != nil else { return }
            fetch.done(.failure(error))
        }
    }

    private func finish(_ transfer: CurlTransfer, _ result: CURLcode) {
        self.transfers[transfer.number] = nil
        self.beginWaiting()
        transfer.done(transfer.outcome(result))
    }

    /// What may stand in a URL without a second meaning.
    private static func isDomain(_ name: String) -> Bool {
        let labels = name.utf8.split(separator: .dot, omittingEmptySubsequences: false)
        return (1...245).contains(name.utf8.count)
            && labels.allSatisfy { label in
                (1...63).contains(label.count)
                    && label.allSatisfy {
                        $0.isASCIILetter || $0.isASCIIDigit || $0 == UInt8(ascii: "-")
                            || $0 == UInt8(ascii: "_")
                    }
            }
    }
}
