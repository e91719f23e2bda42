// SPDX-License-Identifier: Apache-2.0
//
// What a transaction or a session means for its destination.

/// What an attempt means for the connections to its destination.
package enum DestinationConsequence: Hashable, BitwiseCopyable, Sendable {
    /// The host works: more connections may be opened.
    case faster
    /// Nothing: the reply concerned the message or the recipient.
    case none
    /// The host is short of something: fewer connections.
    case slower
}

/// Where in a session a host refused to go on, or ended it.
package enum SessionStage: Hashable, BitwiseCopyable, CaseIterable, Sendable {
    /// The greeting, or no word at all.
    case greeting
    /// EHLO, HELO, LHLO.
    case hello
    case startTLS
    case authentication
    /// Later: 421, an end without one, silence, senseless replies.
    case transaction
}
