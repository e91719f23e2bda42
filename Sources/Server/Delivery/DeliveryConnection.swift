// SPDX-License-Identifier: Apache-2.0

internal import Delivery
internal import MailStore

/// One connection of the scheduler's: one that is made, or one that a peer has turned round.
protocol DeliveryConnection: AnyObject {
    var id: DeliveryConnectionID { get }
    /// Hands a message on to those of its recipients that were claimed.
    func deliver(_ message: QueuedMessage, of destination: Destination)
    /// Says goodbye; nothing is under way.
    func close()
    /// Breaks off whatever is under way.
    func abort()
}
