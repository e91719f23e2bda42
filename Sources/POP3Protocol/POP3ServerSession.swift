// SPDX-License-Identifier: Apache-2.0
//
// One POP3 conversation, server side: RFC 1939 with LAST of RFC 1460, CAPA of RFC 2449, response
// codes of RFC 3206, UTF8 and LANG of RFC 6856. Pure: no socket, no clock, no store.

public import MailBytes

/// One POP3 conversation as a pure state machine.
public struct POP3ServerSession: ~Copyable {
    private let settings: POP3ServerSettings
    private var user: [UInt8] = []
    private var password: [UInt8] = []
    private var timestamp: [UInt8] = []

    /// A session that waits for `.accepted`.
    public init(settings: POP3ServerSettings) {
        self.settings = settings
    }

    /// Takes one event in and gives one effect out; appends what is to be sent to `replies`.
    public mutating func reduce(
        _ event: borrowing Event,
        into replies: inout ReplyBuffer
    ) -> Step {
        Step(consumed: 0, effect: .close)
    }

    /// What the session waits for.
    public var awaiting: Awaiting { .nothing }
    /// The name given by USER or APOP.
    public var userName: Span<UInt8> { @_lifetime(borrow self) borrowing get { self.user.span } }
    /// The password, or the APOP digest; empty again after the answer.
    public var secret: Span<UInt8> { @_lifetime(borrow self) borrowing get { self.password.span } }
    /// The timestamp of the greeting with its angle brackets; empty when APOP is not offered.
    public var apopTimestamp: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.timestamp.span }
    }
    /// Whether a login succeeded.
    public var isAuthenticated: Bool { false }
    /// Whether the newest reply was -ERR.
    public var lastReplyWasError: Bool { false }
    /// How many messages are marked as deleted.
    public var deletedCount: Int { 0 }
    /// Calls `body` with the index (from 0) of each message marked as deleted, in order.
    public func forEachDeleted(_ body: (Int) -> Void) {}
    /// The snapshot this session works on, once it was asked for.
    public var listing: MaildropListing? { nil }
}
