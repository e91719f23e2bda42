// SPDX-License-Identifier: Apache-2.0

/// The client's side of a mechanism: a trivial value that decides what comes next.
protocol ClientMechanism {
    /// Whether a server that says now that all is well is to be believed.
    var isDone: Bool { get }
    mutating func begin(_ material: inout SASLClientMaterial) -> SASLClientExchange.Effect
    /// Takes a challenge, which base64 is taken off.
    mutating func receive(
        _ message: borrowing Span<UInt8>,
        _ material: inout SASLClientMaterial
    ) -> SASLClientExchange.Effect
    /// Takes an answer other than `.unavailable`.
    mutating func answer(
        _ answer: borrowing SASLClientAnswer,
        _ material: inout SASLClientMaterial
    ) -> SASLClientExchange.Effect
}
