// SPDX-License-Identifier: Apache-2.0
//
// What a session answers in one turn. A driver passes one buffer down, the reducers append to it,
// and the octets leave in one send.

/// A growing run of octets that keeps its capacity from turn to turn.
public struct ReplyBuffer: ~Copyable {
    private var octets: [UInt8]

    /// An empty buffer with room for `capacity` octets.
    public init(capacity: Int = 4096) {
        self.octets = []
        self.octets.reserveCapacity(capacity)
    }

    /// How many octets are in the buffer.
    public var count: Int { self.octets.count }

    /// Whether nothing has been appended since the last `removeAll()`.
    public var isEmpty: Bool { self.octets.isEmpty }

    /// The octets, for as long as the buffer is not changed.
    public var span: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.octets.span }
    }

    /// Empties the buffer and keeps its memory, unless one large reply made it larger than
    /// `retaining` octets.
    public mutating func removeAll(retaining: Int = 1 << 18) {
        if self.octets.capacity > retaining {
            self.octets = []
        } else {
            self.octets.removeAll(keepingCapacity: true)
        }
    }

    /// Cuts the buffer back to its first `count` octets.
    public mutating func truncate(to count: Int) {
        self.octets.removeLast(self.octets.count - count)
    }

    /// Appends one octet.
    public mutating func append(_ octet: UInt8) {
        self.octets.append(octet)
    }

    /// Appends the UTF-8 octets of a literal.
    public mutating func append(_ literal: StaticString) {
        literal.withUTF8Buffer { unsafe self.octets.append(contentsOf: $0) }
    }

    /// Appends the octets of `range` of a literal.
    public mutating func append(_ literal: StaticString, _ range: ByteRange) {
        precondition(range.upperBound <= literal.utf8CodeUnitCount, "a part is within its whole")
        literal.withUTF8Buffer { octets in
            for index in range.indices { unsafe self.octets.append(octets[index]) }
        }
    }

    /// Appends an array of octets.
    public mutating func append(_ array: [UInt8]) {
        self.octets.append(contentsOf: array)
    }

    /// Appends the UTF-8 octets of a string; not for the hot path.
    public mutating func append(string: String) {
        self.octets.append(contentsOf: string.utf8)
    }

    /// Appends all octets of a span.
    public mutating func append(_ span: borrowing Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { unsafe self.octets.append(contentsOf: $0) }
    }

    /// Appends the octets of `range` in a span.
    public mutating func append(_ span: borrowing Span<UInt8>, _ range: ByteRange) {
        self.append(span.extracting(range.indices))
    }

    /// Appends a number in decimal digits.
    public mutating func append(decimal number: Int) {
        self.append(decimal: number, digits: 1)
    }

    /// Appends a number in decimal with at least `digits` digits, up to 20; a sign comes on top.
    public mutating func append(decimal number: Int, digits: Int) {
        if number < 0 { self.octets.append(UInt8(ascii: "-")) }
        var text = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
        var rest = number.magnitude
        var start = text.count
        while rest > 0 {
            start -= 1
            text[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        start = min(start, text.count - min(digits, text.count))
        self.append(text.span, ByteRange(start, text.count))
    }

    /// Appends CR and LF.
    public mutating func appendCRLF() {
        self.octets.append(0x0d)
        self.octets.append(0x0a)
    }
}
