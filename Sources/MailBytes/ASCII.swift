// SPDX-License-Identifier: Apache-2.0
//
// The small change of protocol parsing: octets by name, letters without case, decimal numbers
// with overflow checked, and the search for one octet.

internal import Glibc

extension UInt8 {
    /// Carriage return.
    public static let cr: UInt8 = 0x0d
    /// Line feed.
    public static let lf: UInt8 = 0x0a
    /// Space.
    public static let space: UInt8 = 0x20
    /// Full stop.
    public static let dot: UInt8 = 0x2e

    /// The letter in lower case when this is an ASCII capital letter, else the octet itself.
    @inlinable public var lowercasedASCII: UInt8 {
        self &- 0x41 < 26 ? self | 0x20 : self
    }

    /// Whether this is an ASCII letter.
    @inlinable public var isASCIILetter: Bool { (self | 0x20) &- 0x61 < 26 }

    /// Whether this is an ASCII digit.
    @inlinable public var isASCIIDigit: Bool { self &- 0x30 < 10 }
}

extension Span where Element == UInt8 {
    /// The index of the first `octet` at or after `start`, or nil.
    public func firstIndex(of octet: UInt8, from start: Int = 0) -> Int? {
        guard start < self.count else { return nil }
        return unsafe self.withUnsafeBufferPointer { buffer -> Int? in
            guard let base = buffer.baseAddress,
                let found = unsafe memchr(base + start, Int32(octet), buffer.count - start)
            else { return nil }
            return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
    }

    /// Whether the octets of `range` are `literal`, ASCII case aside.
    public func matches(_ literal: StaticString, in range: ByteRange) -> Bool {
        guard range.count == literal.utf8CodeUnitCount else { return false }
        return literal.withUTF8Buffer { expected in
            for index in 0..<range.count
            where unsafe self[range.lowerBound + index].lowercasedASCII
                != expected[index].lowercasedASCII
            {
                return false
            }
            return true
        }
    }

    /// The decimal number that fills `range`, or nil when it is empty, holds anything but digits,
    /// or does not fit.
    public func decimal(in range: ByteRange) -> Int? {
        guard !range.isEmpty else { return nil }
        var number = 0
        for index in range.indices {
            let octet = self[index]
            guard octet.isASCIIDigit else { return nil }
            let (product, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(octet &- 0x30))
            guard !overflow, !carry else { return nil }
            number = sum
        }
        return number
    }

    /// The octets of `range` as an array of their own.
    public func copy(_ range: ByteRange) -> [UInt8] {
        unsafe self.extracting(range.indices).withUnsafeBufferPointer { unsafe Array($0) }
    }

    /// All octets as an array of their own.
    public func copy() -> [UInt8] {
        unsafe self.withUnsafeBufferPointer { unsafe Array($0) }
    }
}
