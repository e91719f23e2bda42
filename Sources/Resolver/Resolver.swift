// SPDX-License-Identifier: Apache-2.0
//
// A resolver on the event loop: libunbound asks, validates and remembers.

package import DNSProtocol
package import EventLoop

/// A question that was asked and not yet answered; for `Resolver.cancel`.
package struct ResolverQuery: Hashable, Sendable {
    let number: UInt64
}

/// Looks names up, without ever blocking the loop.
///
/// An answer comes in a later turn of the loop, never inside the call; nothing comes after
/// `cancel`, nor after the resolver is gone. Whoever asks lives at least until then. A question that
/// is already under way is not asked twice, and each fails after `ResolverSettings.secondsMax`.
package final class Resolver {
    private let loop: EventLoop
    private let settings: ResolverSettings

    /// Reads the trust anchors; throws when they, or a server, are no good.
    package init(loop: EventLoop, settings: ResolverSettings) throws(ResolverError) {
        self.loop = loop
        self.settings = settings
    }

    /// The most descriptors that a resolver with these settings has open at once.
    package static func descriptorsMax(_ settings: ResolverSettings) -> Int { 0 }

    /// Asks for the records of a type.
    ///
    /// A name that is no name (too long, not convertible to A-labels) is answered with `failed`.
    @discardableResult
    package func lookUp(
        _ name: String,
        _ type: DNSRecordType,
        answer: @escaping (DNSAnswer) -> Void
    ) -> ResolverQuery {
        self.lookUpMessage(name, type) { result, _ in answer(result) }
    }

    /// As `lookUp`, with the whole message, if one came.
    @discardableResult
    package func lookUpMessage(
        _ name: String,
        _ type: DNSRecordType,
        answer: @escaping (DNSAnswer, DNSMessage?) -> Void
    ) -> ResolverQuery {
        ResolverQuery(number: 0)
    }

    /// Nobody waits for the answer any more; does nothing for one that was given.
    package func cancel(_ query: ResolverQuery) {}
}
