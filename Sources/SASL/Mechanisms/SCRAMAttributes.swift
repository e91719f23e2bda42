// SPDX-License-Identifier: Apache-2.0
//
// The attributes of SCRAM messages (RFC 5802, section 5.1): `x=value`, separated by commas, in the
// one order that the grammar gives.

internal import MailBytes

/// A place in a message from which attributes are taken one after the other.
struct SCRAMAttributes: BitwiseCopyable {
    private var position: Int
    /// Whether an attribute can follow: at the start, or after a comma.
    private var isOpen = true

    init(at position: Int) { self.position = position }

    /// Where the next attribute begins.
    var next: Int { self.position }

    /// Whether all of the message was taken.
    var isAtEnd: Bool { !self.isOpen }

    /// The value of the next attribute if this is its name, else nil; nothing is taken then.
    mutating func take(_ name: Character, of message: borrowing Span<UInt8>) -> ByteRange? {
        guard self.isOpen, self.position + 1 < message.count,
            message[self.position] == name.asciiValue,
            message[self.position + 1] == UInt8(ascii: "=")
        else { return nil }
        let start = self.position + 2
        let end = message.firstIndex(of: UInt8(ascii: ","), from: start) ?? message.count
        self.isOpen = end < message.count
        self.position = end + (self.isOpen ? 1 : 0)
        return ByteRange(start, end)
    }

    /// Takes optional extensions up to the end, or up to an attribute with the name `last`.
    ///
    /// False when something is not an attribute. Nothing in an extension may change what the rest
    /// means, so they are passed over.
    mutating func skipExtensions(before last: Character?, of message: borrowing Span<UInt8>) -> Bool
    {
        while self.isOpen {
            guard self.position < message.count, message[self.position].isASCIILetter else {
                return false
            }
            let name = Character(UnicodeScalar(message[self.position]))
            if name == last { return true }
            guard let value = self.take(name, of: message), !value.isEmpty,
                value.indices.allSatisfy({ message[$0] != 0 })
            else { return false }
        }
        return last == nil
    }
}
