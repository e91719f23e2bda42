// SPDX-License-Identifier: Apache-2.0
//
// Fetches the policies of MTA-STS (RFC 8461) over HTTPS: libcurl on the event loop.

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
package struct PolicyFetch: Hashable, Sendable {
    let number: UInt64
}

/// Fetches policies, without ever blocking the loop.
///
/// What was fetched comes in a later turn of the loop, never inside the call; nothing comes after
/// `cancel`, nor after the fetcher is gone.
package final class PolicyFetcher {
    private let loop: EventLoop
    private let settings: PolicyFetchSettings

    package init(loop: EventLoop, settings: PolicyFetchSettings) {
        self.loop = loop
        self.settings = settings
    }

    /// Fetches `https://mta-sts.DOMAIN/.well-known/mta-sts.txt` from one of the addresses of
    /// mta-sts.DOMAIN; the domain in A-labels, the ports of the addresses ignored.
    @discardableResult
    package func fetch(
        domain: String,
        addresses: [NetworkAddress],
        done: @escaping (Result<[UInt8], PolicyFetchError>) -> Void
    ) -> PolicyFetch {
        PolicyFetch(number: 0)
    }

    /// Nobody waits for the policy any more; does nothing for a fetch that has ended.
    package func cancel(_ fetch: PolicyFetch) {}
}
