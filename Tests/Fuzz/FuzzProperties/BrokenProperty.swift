// SPDX-License-Identifier: Apache-2.0
//
// How a property says that it does not hold: a fuzzer traps on it, a test reports it.

/// A property that does not hold, as a sentence.
public struct BrokenProperty: Error, CustomStringConvertible {
    /// The sentence.
    public let description: String
}

/// Throws the sentence unless the condition holds.
func require(
    _ condition: Bool,
    _ sentence: @autoclosure () -> String
) throws(BrokenProperty) {
    guard !condition else { return }
    throw BrokenProperty(description: sentence())
}

/// Throws unless a conversation is the same with its octets cut in segments.
func requireSame(_ whole: [UInt8], _ cut: [UInt8], segment: Int) throws(BrokenProperty) {
    let same = zip(whole, cut).prefix { $0 == $1 }.count
    try require(
        whole == cut,
        """
        The conversation depends on how the octets were cut. In segments of \(segment) it is
        \(String(decoding: cut.dropFirst(max(same - 40, 0)), as: UTF8.self))
        where it is otherwise
        \(String(decoding: whole.dropFirst(max(same - 40, 0)), as: UTF8.self))
        """
    )
}
