// SPDX-License-Identifier: Apache-2.0
//
// What the server's tables know of a driver: one object per connection, which interprets the
// effects of its session and is found again by connection id when an answer comes.

internal import EventLoop

/// One connection with its session, whatever the protocol.
protocol Conversation: StreamHandler {
    var stream: any ByteStream { get }
    /// Greets, or refuses.
    func begin()
    /// An answer to the question of that serial number; never from within a call of the driver.
    func answered(_ reply: StorageReply, serial: UInt32)
    /// The store takes content again.
    func mayStage()
    /// The server is going down.
    func stop()
}

extension Conversation {
    func mayStage() {}
}
