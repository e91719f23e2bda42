// SPDX-License-Identifier: Apache-2.0
//
// What sessions tell those who deliver: that there is mail, and that somebody is there to take it.

package import Delivery
package import EventLoop

/// Delivery to other servers, as the server and the sessions of those who send mail here see it.
package protocol DeliveryHooks: AnyObject {
    /// Mail for these destinations is durable in the queue; each is named once.
    func queued(_ destinations: [Destination])
    /// Recipients that were delivered here await the report of their success.
    func reportsAwaited()
    /// Somebody asked by ETRN (RFC 1985) for the mail of these destinations, which do not rest any
    /// more in the store, and may: it is to be tried at once, also where the route is on demand.
    func startQueue(of destinations: [Destination])
    /// Somebody asked by ATRN (RFC 2645) for the mail of these destinations, and may.
    ///
    /// The stream, which the session has given up, is the deliverer's: its handler is none, the
    /// reply has been sent on it, and the peer, a server of SMTP now, greets next. TLS, when it was
    /// begun, goes on. The deliverer closes it.
    func turnAround(_ stream: any ByteStream, for destinations: [Destination])
    /// The answer to a question of the deliverer's.
    func answered(_ reply: StorageReply, serial: UInt32)
    /// What should be nothing when nothing is under way.
    var leaks: [String] { get }
}
