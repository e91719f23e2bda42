// SPDX-License-Identifier: Apache-2.0
//
// What of the configuration concerns mail on its way out, in the form it is used.

package import MailBytes

/// The settings of a `DeliveryEngine`.
package struct DeliverySettings {
    /// The name this server gives in EHLO, and its reports come from.
    package var hostname: [UInt8]
    /// The port that servers of MX are reached at.
    package var port: UInt16 = 25
    /// The addresses that connections come from; nil: the system chooses.
    package var sourceIPv4: NetworkAddress?
    package var sourceIPv6: NetworkAddress?
    /// A connection must be there within so many seconds.
    package var connectSeconds: Double = 30
    /// Each reply must be there within so many (RFC 5321, section 4.5.3.2).
    package var replySeconds: Double = 300
    /// The reply to the end of the content takes longer (RFC 5321, section 4.5.3.2.6).
    package var finalReplySeconds: Double = 600
    /// Octets of content that are in memory at once, over all connections.
    package var contentMemoryOctets = 1 << 25

    package init(hostname: [UInt8]) { self.hostname = hostname }
}
