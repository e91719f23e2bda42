// SPDX-License-Identifier: Apache-2.0
//
// A range of octets inside a buffer that somebody else owns. Parsers keep ranges and borrow the
// octets again when they are needed, so that nothing is copied and nothing outlives its buffer.

/// A half-open range of octets, as a trivial value of eight octets.
public struct ByteRange: Equatable, BitwiseCopyable, Sendable {
    private var start: Int32
    private var length: Int32

    /// The range `lowerBound ..< lowerBound + count`; both must be non-negative and fit in 31 bits.
    @inlinable
    public init(at lowerBound: Int, count: Int) {
        self.init(unchecked: Int32(lowerBound), Int32(count))
    }

    /// The range `lowerBound ..< upperBound`.
    @inlinable
    public init(_ lowerBound: Int, _ upperBound: Int) {
        self.init(at: lowerBound, count: upperBound - lowerBound)
    }

    @usableFromInline
    init(unchecked start: Int32, _ length: Int32) {
        precondition(start >= 0 && length >= 0, "an octet range is never negative")
        self.start = start
        self.length = length
    }

    /// No octets at all.
    public static let empty = ByteRange(at: 0, count: 0)

    /// The index of the first octet.
    public var lowerBound: Int { Int(self.start) }

    /// The index after the last octet.
    public var upperBound: Int { Int(self.start) + Int(self.length) }

    /// How many octets the range holds.
    public var count: Int { Int(self.length) }

    /// Whether the range holds no octet.
    public var isEmpty: Bool { self.length == 0 }

    /// The same octets as indices of a collection.
    public var indices: Range<Int> { self.lowerBound..<self.upperBound }

    /// The range moved by `offset` octets.
    public func shifted(by offset: Int) -> ByteRange {
        ByteRange(at: self.lowerBound + offset, count: self.count)
    }
}
