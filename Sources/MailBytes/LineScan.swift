// SPDX-License-Identifier: Apache-2.0
//
// The one pass over mail data that is on its way in. Nearly all of it is plain: each CR stands
// before an LF, each LF after a CR, and no line begins with a dot. Plain octets are passed over in
// blocks; the first that is not plain is found, and ContentDecoder decides about it.

extension Span where Element == UInt8 {
    /// The index of the first octet at or after `start` that breaks the run of plain lines.
    ///
    /// That is an LF after anything but CR, anything but LF after a CR, or a dot after an LF.
    /// `previous` is the octet before `start`, wherever it came from. Returns `count` when there
    /// is none.
    func endOfPlainLines(from start: Int, after previous: UInt8) -> Int {
        guard start < self.count else { return self.count }
        if Self.breaks(self[start], after: previous) { return start }
        return unsafe self.withUnsafeBufferPointer {
            unsafe Self.endOfPlainLines($0, from: start + 1)
        }
    }

    /// Looks at each octet together with the one before it, so `start` is at least 1.
    private static func endOfPlainLines(
        _ octets: UnsafeBufferPointer<UInt8>,
        from start: Int
    ) -> Int {
        var index = start
        while index < octets.count {
            if unsafe Self.breaks(octets[index], after: octets[index - 1]) { return index }
            index += 1
        }
        return octets.count
    }

    @inline(__always)
    private static func breaks(_ octet: UInt8, after previous: UInt8) -> Bool {
        (octet == .lf) != (previous == .cr) || (octet == .dot && previous == .lf)
    }
}
