// SPDX-License-Identifier: Apache-2.0
//
// Ranges of octets, up to the largest that fit.

import MailBytes
import Testing

@Suite struct ByteRangeTests {
    @Test func boundsAndCountAgree() {
        let range = ByteRange(3, 8)
        #expect(range == ByteRange(at: 3, count: 5))
        #expect(range.lowerBound == 3)
        #expect(range.upperBound == 8)
        #expect(range.count == 5)
        #expect(range.indices == 3..<8)
        #expect(!range.isEmpty)
        #expect(ByteRange.empty.isEmpty && ByteRange.empty.lowerBound == 0)
        #expect(ByteRange(at: 7, count: 0).isEmpty)
        #expect(ByteRange(at: 7, count: 0) != .empty)
        #expect(range.shifted(by: 4) == ByteRange(7, 12))
        #expect(range.shifted(by: -3) == ByteRange(0, 5))
    }

    @Test func theLargestFit() {
        let largest = Int(Int32.max)
        let range = ByteRange(at: largest, count: largest)
        #expect(range.upperBound == 2 * largest)
        #expect(MemoryLayout<ByteRange>.size == 8)
    }

    @Test func negativeRangesAreOurFault() async {
        await #expect(processExitsWith: .failure) { _ = ByteRange(3, 2) }
        await #expect(processExitsWith: .failure) { _ = ByteRange(at: -1, count: 1) }
    }
}
