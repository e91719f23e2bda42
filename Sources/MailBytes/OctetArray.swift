// SPDX-License-Identifier: Apache-2.0
//
// Bulk moves from borrowed octets into arrays.

extension Array where Element == UInt8 {
    /// Appends all octets of a span.
    public mutating func append(_ span: borrowing Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { unsafe self.append(contentsOf: $0) }
    }
}
