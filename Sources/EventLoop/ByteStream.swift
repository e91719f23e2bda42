// SPDX-License-Identifier: Apache-2.0
//
// The border between connections and what is spoken over them: all that a driver sees of I/O, and
// all that a stream asks of a driver. The simulation has streams of its own.

package import MailBytes

/// What a handler made of the octets it was shown.
package struct Consumption: BitwiseCopyable {
    /// What the stream is to do next with the octets that were not consumed.
    package enum Next: BitwiseCopyable, Equatable {
        /// The handler needs more octets than it was shown; it will see these again, with more.
        case awaitMore
        /// The handler has done enough for one turn and wants the rest in the next.
        case yield
        /// No more input until `ByteStream.resume()`.
        case suspend
        /// Whatever else comes in is of no interest, and is thrown away.
        case finished
    }

    /// How many octets are done with.
    package let count: Int
    package let next: Next

    package init(count: Int, next: Next) {
        self.count = count
        self.next = next
    }
}

/// The driver's side of a stream; all calls come on the loop's thread.
package protocol StreamHandler: AnyObject {
    /// An outgoing connection is established.
    func connected(_ stream: any ByteStream)
    /// TLS is established; input flows as on a new stream, and the deadline is lifted.
    func secured(_ stream: any ByteStream)
    /// Octets are there: all that were received and not consumed. After `.yield` and `resume()`
    /// the call comes in any case, with no octets when there are none.
    func received(_ octets: borrowing Span<UInt8>, from stream: any ByteStream) -> Consumption
    /// The peer will send no more, and all it sent has been consumed; output still works.
    func inputEnded(_ stream: any ByteStream)
    /// Pending output has gone out.
    func drained(_ stream: any ByteStream)
    /// The deadline has passed.
    func deadlinePassed(_ stream: any ByteStream)
    /// The connection is gone; the last call, and never made from within a call of the handler.
    func ended(_ stream: any ByteStream)
}

extension StreamHandler {
    package func connected(_ stream: any ByteStream) {}

    package func secured(_ stream: any ByteStream) {}
}

/// One connection.
package protocol ByteStream: AnyObject {
    var id: ConnectionID { get }
    /// The other end of the connection.
    var peer: NetworkAddress { get }
    /// Whom the connection is for, which is what limits, logs and sessions go by: the peer, unless
    /// a trusted proxy says otherwise.
    var client: NetworkAddress { get set }
    var local: NetworkAddress { get }
    /// The user at the other end of a Unix socket, where the system knows it.
    var peerUser: UInt32? { get }
    /// Kept until the connection has ended.
    var handler: (any StreamHandler)? { get set }
    /// No more octets than this are taken from the system at once; nil sets no limit.
    ///
    /// With it, a header that stands before TLS is read to its end and not beyond.
    var receiveOctetsLimit: Int? { get set }
    /// Whether the peer has sent something that was not consumed.
    var hasReadableInput: Bool { get }
    /// Octets sent by the handler and not yet taken by the system.
    var pendingOutputCount: Int { get }
    /// Sends at once what the system takes at once, and the rest as the peer reads.
    func send(_ octets: borrowing Span<UInt8>)
    /// Sends three runs of octets, one after the other, as `send` would send all of them in one.
    func send(
        _ first: borrowing Span<UInt8>,
        _ second: borrowing Span<UInt8>,
        _ third: borrowing Span<UInt8>
    )
    /// Lets input flow again after `.suspend`: `received` is called at the end of this turn. From
    /// within `received`, it makes the `.suspend` about to be returned a `.yield`.
    func resume()
    /// Speaks TLS from now on, as the server, or as the client with a service made for clients.
    ///
    /// Input that was received and not consumed is dropped, pending output goes out in clear, and
    /// then no octet passes outside of TLS: `secured` is called, or the stream ends. Until then the
    /// stream has the deadline of handshakes and no other, what is sent is dropped, and `close` is
    /// `abort`. Not for a stream that speaks TLS already.
    func startTLS(_ service: TLSService)
    /// What was agreed on; nil until `secured`.
    var tls: TLSFacts? { get }
    /// The octets that channel binding of that kind has on this connection; nil without TLS, and
    /// for a certificate or a version that the kind is not defined for.
    func channelBinding(_ kind: ChannelBinding) -> [UInt8]?
    /// Why an outgoing connection was not established, in a few words: "connection refused",
    /// "timed out"; to be asked for in `ended`, and nil where the owner gave up by itself.
    var connectFailure: String? { get }
    /// Why TLS was asked for and not established, in a few words; to be asked for in `ended`.
    var handshakeFailure: String? { get }
    /// Sets, moves or (nil) lifts the one deadline of the stream.
    func setDeadline(seconds: Double?)
    /// Ends the connection once all output has gone out.
    ///
    /// A peer that is cut short may still be sending, and would lose our last words to a reset;
    /// with `lingering` it is heard out for a moment.
    func close(lingering: Bool)
    /// Ends the connection at the end of this turn.
    func abort()
}

extension ByteStream {
    /// Ends the connection of a peer that has said all it wants to, once all output has gone out.
    package func close() { self.close(lingering: false) }

    package var peerUser: UInt32? { nil }

    package var connectFailure: String? { nil }

    package var handshakeFailure: String? { nil }

    package func send(
        _ first: borrowing Span<UInt8>,
        _ second: borrowing Span<UInt8>,
        _ third: borrowing Span<UInt8>
    ) {
        self.sendTogether(first, second, third)
    }

    /// Copies three runs together and sends them as one.
    func sendTogether(
        _ first: borrowing Span<UInt8>,
        _ second: borrowing Span<UInt8>,
        _ third: borrowing Span<UInt8>
    ) {
        var octets: [UInt8] = []
        octets.reserveCapacity(first.count + second.count + third.count)
        octets.append(first)
        octets.append(second)
        octets.append(third)
        self.send(octets.span)
    }
}
