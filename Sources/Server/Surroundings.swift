// SPDX-License-Identifier: Apache-2.0
//
// What the server needs of the world, as narrow protocols. The real ones stand on the event
// loop, the storage threads and OpenSSL; the simulation has its own on a virtual clock.

package import Credentials
package import DNSProtocol
package import Delivery
package import EventLoop
package import MailBytes
package import MailStore
package import MailSyntax
package import SASL

/// The clocks and the timer of one loop.
package protocol Timekeeper: AnyObject {
    /// Monotonic seconds, as of the present turn of the loop.
    var now: Double { get }
    /// Seconds since 1970, UTC.
    var wallClock: Int64 { get }
    /// Runs `body` on the loop after `seconds`.
    func after(seconds: Double, _ body: @escaping () -> Void)
}

/// The store, asked without waiting: answers come back through `MailServer.answered`.
package protocol Storage: AnyObject {
    /// Hands a request to the writer; it is durable when it is answered.
    func write(_ request: StoreRequest, for ticket: Ticket)
    /// Hands a question to the reader.
    func read(_ question: StoreQuestion, for ticket: Ticket)
}

/// Password work, which costs milliseconds and therefore never runs on the loop.
package protocol PasswordChecker: AnyObject {
    /// Checks a password, or an APOP digest, against what an account holds; false when too many
    /// checks wait already.
    func check(_ attempt: LoginAttempt, for ticket: Ticket) -> Bool
}

/// The domain name system, asked without waiting.
package protocol NameResolver: AnyObject {
    /// Asks; the answer comes on the loop, once, and never from within this call.
    ///
    /// The name is one of ASCII, in any case, without the dot at its end.
    ///
    /// - Returns: what `cancel` takes.
    func lookUp(
        _ name: String,
        _ type: DNSRecordType,
        answer: @escaping (DNSAnswer) -> Void
    ) -> LookUpID
    /// No answer comes any more to that question, if none has come yet.
    func cancel(_ id: LookUpID)
}

/// Names one question to a `NameResolver`, for as long as it waits.
package struct LookUpID: Hashable, BitwiseCopyable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// The way out: connections to other servers, and what TLS is spoken with on them.
package protocol Connector: AnyObject {
    /// Begins a connection; its handler hears `connected`, or `ended` when it fails.
    ///
    /// - Throws: why it cannot even be begun: no descriptor, no such family, no such path.
    func connect(
        to address: ListenAddress,
        from local: NetworkAddress?
    ) throws(EventLoopError) -> any ByteStream
    /// What TLS is spoken with on a stream to a host, which is asked for by `serverName` (SNI).
    func clientService(
        for requirement: TLSRequirement,
        serverName: String?
    ) throws(TLSError) -> TLSService
}

/// Policies of MTA-STS, fetched without waiting (RFC 8461, section 3.3).
package protocol PolicySource: AnyObject {
    /// Fetches the policy of a domain; the answer comes on the loop, once, and never from within
    /// this call: the text, or nil when there is none that can be had.
    func fetchPolicy(of domain: String, answer: @escaping ([UInt8]?) -> Void)
}

/// Who waits for an answer: a connection, and which of its questions it was.
package struct Ticket: Hashable, BitwiseCopyable, Sendable {
    /// The connection that asked; an answer to one that is gone is dropped.
    package let connection: ConnectionID
    /// Counts the questions of that connection, so that a late answer is not taken for a newer one.
    package let serial: UInt32

    package init(connection: ConnectionID, serial: UInt32) {
        self.connection = connection
        self.serial = serial
    }
}

/// One login to be judged on a worker.
package struct LoginAttempt: Sendable {
    /// What the client showed.
    package enum Proof: Sendable {
        case password([UInt8])
        case apop(timestamp: [UInt8], digest: [UInt8])
        case cramMD5(challenge: [UInt8], digest: [UInt8])
        /// The keys that a proof will be checked with.
        case scram(SCRAMHash, channelBinding: [UInt8]?)
        /// What a certificate said that TLS has verified.
        case certificate
        /// A token, and the time at which it must be good, in seconds since 1970.
        case token([UInt8], TokenVerifier, now: Int)

        /// Whether the account follows from the proof, and is read after it.
        var namesAccount: Bool {
            switch self {
            case .token: true
            case .password, .apop, .cramMD5, .scram, .certificate: false
            }
        }
    }

    /// The account, or nil when there is none: the work is done all the same.
    package let account: AccountRecord?
    package let proof: Proof
}

/// What the reader is asked.
package enum StoreQuestion: Sendable {
    case resolve(Address, AddressPolicy)
    case expand(Address, AddressPolicy)
    case account(Address)
    case maildrop(AccountID)
    case listing(AccountID, head: MaildropHead)
    case content(ContentQuestion)
    case accounts(after: Address?, count: Int)
    case aliases(after: Address?, count: Int)
    case accountKinds

    // Of the queue; what they mean stands with the reader's methods of these names.
    case waitingDestinations([[UInt8]], below: [[UInt8]], max: Int)
    case dueDestinations(now: Int64, max: Int, excluding: Set<[UInt8]>)
    case dueMessages(DueMessagesQuery)
    case queuedContent(MessageID, offset: Int, max: Int)
    case reportsDue(after: MessageID?, max: Int)
    case expiring(now: Int64, max: Int, excluding: Set<MessageID>)
    case warnable(now: Int64, max: Int, excluding: Set<MessageID>)
    case queueRows(QueueSelector, after: QueuePosition?, count: Int)
    case queueMessage(MessageID, after: Int?, count: Int)
}

/// A read of one message and, while there is room, of those that follow it in the maildrop.
package struct ContentQuestion: Sendable {
    package let account: AccountID
    /// The message asked for.
    package let sequence: UInt32
    package let offset: Int
    package let octetsMax: Int
    /// The messages that the client is likely to want next; then the first is wanted whole.
    package let following: [UInt32]
    /// What the first and those that follow come to, as listed.
    package let wholeOctets: Int

    /// So many octets of them are read ahead at the most.
    package static let followingOctetsMax = 1 << 17
}
