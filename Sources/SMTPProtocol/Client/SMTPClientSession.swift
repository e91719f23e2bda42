// SPDX-License-Identifier: Apache-2.0
//
// One SMTP or LMTP conversation, client side: RFC 5321, RFC 2033 (LMTP), and the extensions of
// RFC 1870, 2034, 2920, 3030, 3207, 3461, 4954, 6152, 6531, 8689 and 9422. Pure: no socket, no
// clock, no content. What the replies do is in the files beside this one.

public import MailBytes

public import SASL

/// One SMTP or LMTP conversation with a server, as a pure state machine, for any number of messages.
///
/// The contract with a driver:
/// 1. One event in, one effect out; while the effect is `.proceed`, the driver calls again with
///    `.received` and what is left of the input, also when nothing is left.
/// 2. The `consumed` octets are done with. The rest stays with the driver.
/// 3. Commands go out before the effect is carried out.
/// 4. After `.authenticate` no `.received` comes until it is answered, and none after `.startTLS`
///    until `.secured`. `.deadlinePassed` and `.peerClosed` may come at any time.
/// 5. Each `.transaction` ends in exactly one `.finished`, with an outcome for each recipient,
///    whatever the peer does or does not.
/// 6. After `.close`, and after `.finished` without `isReady`, the session is over.
/// 7. Whatever a peer sends ends in an effect, never a trap; a driver that breaks the contract is
///    a bug and traps.
///
/// Replies are bounded in lines and octets; their time is the driver's affair.
public struct SMTPClientSession: ~Copyable {
    let settings: SMTPClientSettings
    let saysHELO: Bool

    /// What the peer announced, after TLS when there is TLS.
    public internal(set) var extensions = SMTPExtensions()
    /// Whether TLS is up.
    public internal(set) var isSecured = false
    /// Whether TLS is up and who the peer is has been verified.
    public internal(set) var isVerified = false
    /// Whether the session has logged in.
    public internal(set) var isAuthenticated = false
    /// The exchange of AUTH: what its questions are about.
    public internal(set) var exchange = SASLClientExchange()
    /// How many transactions were begun.
    public internal(set) var transactionCount = 0
    /// The outcomes of the transaction, one for each recipient; complete at `.finished`.
    public internal(set) var outcomes: [SMTPClientOutcome] = []
    /// Why the session ended before it was told to.
    public internal(set) var failure: SMTPClientFailure?

    /// A session that waits for `.connected`.
    ///
    /// `saysHELO`: EHLO is not tried (see `SMTPClientFailure.suggestsHELO`).
    public init(settings: SMTPClientSettings, saysHELO: Bool = false) {
        self.settings = settings
        self.saysHELO = saysHELO
    }

    /// Takes one event in, gives one effect out and appends what is to be sent to `commands`.
    public mutating func reduce(_ event: borrowing Event, into commands: inout ReplyBuffer) -> Step
    {
        preconditionFailure("not written yet")
    }

    /// Whether `.transaction` and `.quit` may come.
    public var isReady: Bool { false }

    /// What became of a recipient, by its index in the envelope; after `.finished`.
    public func outcome(at index: Int) -> SMTPClientOutcome { self.outcomes[index] }

    /// What the session waits for.
    public var awaiting: Awaiting { .nothing }

    /// The first word of the greeting, as the peer calls itself: printable, perhaps empty.
    public internal(set) var peerName: [UInt8] = []
}
