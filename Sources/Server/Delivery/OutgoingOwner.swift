// SPDX-License-Identifier: Apache-2.0

internal import Delivery
internal import EventLoop
internal import MailStore
internal import MailSyntax

/// Who has messages for an outgoing connection: the engine with its queue, or a command with one
/// message.
protocol OutgoingOwner: AnyObject {
    var settings: DeliverySettings { get }
    var routes: RouteFinder { get }
    var sessions: ClientSettings { get }
    var connector: any Connector { get }
    var time: any Timekeeper { get }

    func connect(to endpoint: RouteEndpoint) throws(EventLoopError) -> any ByteStream
    /// A message may be given, or `close` called, now or later.
    func isReady(_ connection: any DeliveryConnection)
    /// No transaction came about, and none will.
    func failed(_ connection: any DeliveryConnection, _ failure: DestinationFailure)
    /// A connection that was ready is gone.
    func ended(_ connection: any DeliveryConnection, _ failure: DestinationFailure?)
    /// A message is over; the outcomes are those of the driver's session.
    func finished(
        _ transaction: Transaction,
        over connection: any DeliveryConnection,
        _ driver: SMTPClientDriver,
        at host: Next
    )
    /// A route throws the message away.
    func discarded(
        _ message: QueuedMessage,
        of destination: Destination,
        by connection: any DeliveryConnection
    )
    func readContent(
        of message: MessageID,
        offset: Int,
        _ octetsMax: Int,
        for driver: SMTPClientDriver
    )
    /// How far a connection is, for whoever watches.
    func noted(_ step: OutgoingStep, on connection: OutgoingConnection)
    /// As `SMTPClientOwner`.
    func overheard(_ octets: borrowing Span<UInt8>, isOurs: Bool, on driver: SMTPClientDriver)
}

extension OutgoingOwner {
    func noted(_ step: OutgoingStep, on connection: OutgoingConnection) {}

    func overheard(
        _ octets: borrowing Span<UInt8>,
        isOurs: Bool,
        on driver: SMTPClientDriver
    ) {}
}

/// How far an outgoing connection is; texts name a host with its address.
enum OutgoingStep {
    case found(RouteOutcome)
    case connecting(String)
    case unreachable(String, String)
    case connected(String)
    /// The host takes mail; how the session was secured, empty: it was not.
    case ready(tls: [UInt8])
    case sessionFailed(String)
}
