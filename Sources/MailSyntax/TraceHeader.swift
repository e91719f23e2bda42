// SPDX-License-Identifier: Apache-2.0
//
// The Received field (RFC 5321, section 4.4): who said what to whom, by which protocol, under which
// id, and when.

public import MailBytes

/// Writes trace information.
public enum TraceHeader {
    /// Appends one Received field, folded, with its line end.
    ///
    /// No line is longer than 78 octets, unless a single name or mailbox makes it so.
    ///
    /// `clientName` is the argument of HELO, EHLO or LHLO, whatever it was: what has no place in a
    /// domain or an address literal is written as `?`, so that a peer writes nothing but its name
    /// into the field. Without a `client` the field tells neither its name nor its address.
    /// `recipient` is the mailbox when there is exactly one, else empty: a Received
    /// field must not tell recipients of each other (RFC 5321, section 7.2).
    public static func appendReceived(
        to buffer: inout ReplyBuffer,
        from clientName: borrowing Span<UInt8>,
        client: NetworkAddress?,
        by hostname: [UInt8],
        with protocolName: StaticString,
        id: MessageID,
        for recipient: borrowing Span<UInt8>,
        date: MailDate
    ) {
        let first = buffer.count
        buffer.append("Received: from ")
        if let client {
            self.append(clientName: clientName, to: &buffer)
            self.fold(&buffer, from: first) { buffer in self.append(client: client, to: &buffer) }
        } else {
            // The grammar wants a name here.
            buffer.append("submission (hidden)")
        }
        buffer.append("\r\n")
        let second = buffer.count
        buffer.append("\tby ")
        buffer.append(hostname)
        self.fold(&buffer, from: second) { buffer in
            buffer.append("with ")
            buffer.append(protocolName)
            buffer.append(" id ")
            id.append(to: &buffer)
        }
        if recipient.count > 0 {
            buffer.append("\r\n\tfor <")
            buffer.append(recipient)
            buffer.append(">")
        }
        buffer.append(";\r\n\t")
        date.append(to: &buffer)
        buffer.appendCRLF()
    }

    /// Appends a space and what `token` writes, or begins a new line with it when the one that
    /// began at `lineStart` would become too long.
    private static func fold(
        _ buffer: inout ReplyBuffer,
        from lineStart: Int,
        before token: (inout ReplyBuffer) -> Void
    ) {
        let end = buffer.count
        buffer.append(.space)
        token(&buffer)
        // RFC 5322, section 2.1.1; one octet less, because a semicolon may follow.
        guard buffer.count - lineStart > 77 else { return }
        buffer.truncate(to: end)
        buffer.append("\r\n\t")
        token(&buffer)
    }

    private static func append(
        clientName: borrowing Span<UInt8>,
        to buffer: inout ReplyBuffer
    ) {
        guard clientName.count > 0 else { return buffer.append("unknown") }
        for index in clientName.indices {
            let octet = clientName[index]
            let isNamed =
                MailboxScanner.isLabelText(octet) || octet == .dot || octet == UInt8(ascii: ":")
                || octet == UInt8(ascii: "[") || octet == UInt8(ascii: "]")
            buffer.append(isNamed ? octet : UInt8(ascii: "?"))
        }
    }

    private static func append(client: NetworkAddress, to buffer: inout ReplyBuffer) {
        switch client.family {
        case .unix: buffer.append("(local socket)")
        case .ipv4:
            buffer.append("([")
            client.appendHost(to: &buffer)
            buffer.append("])")
        case .ipv6:
            buffer.append("([IPv6:")
            client.appendHost(to: &buffer)
            buffer.append("])")
        }
    }
}
