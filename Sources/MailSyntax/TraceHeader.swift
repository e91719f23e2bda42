// SPDX-License-Identifier: Apache-2.0
//
// The Received field (RFC 5321, section 4.4): who said what to whom, by which protocol, under which
// id, and when.

public import MailBytes

/// Writes trace information.
public enum TraceHeader {
    /// Appends one Received field, folded, with its line end.
    ///
    /// - Parameters:
    ///   - clientName: the argument of HELO, EHLO or LHLO.
    ///   - recipient: the mailbox when there is exactly one, else empty: a Received field must not
    ///     tell recipients of each other (RFC 5321, section 7.2).
    public static func appendReceived(
        to buffer: inout ReplyBuffer,
        from clientName: borrowing Span<UInt8>,
        peer: NetworkAddress,
        by hostname: [UInt8],
        with protocolName: StaticString,
        id: MessageID,
        for recipient: borrowing Span<UInt8>,
        date: MailDate
    ) {
        buffer.append("Received: from ")
        buffer.append(clientName)
        buffer.append(" (")
        switch peer.family {
        case .unix: buffer.append("local socket")
        case .ipv4:
            buffer.append("[")
            peer.appendHost(to: &buffer)
            buffer.append("]")
        case .ipv6:
            buffer.append("[IPv6:")
            peer.appendHost(to: &buffer)
            buffer.append("]")
        }
        buffer.append(")\r\n\tby ")
        buffer.append(hostname)
        buffer.append(" with ")
        buffer.append(protocolName)
        buffer.append(" id ")
        id.append(to: &buffer)
        if recipient.count > 0 {
            buffer.append("\r\n\tfor <")
            buffer.append(recipient)
            buffer.append(">")
        }
        buffer.append(";\r\n\t")
        date.append(to: &buffer)
        buffer.appendCRLF()
    }
}
