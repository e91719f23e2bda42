// SPDX-License-Identifier: Apache-2.0
//
// Stands in for the mechanisms that follow.

struct UnfinishedMechanism: ServerMechanism {
    mutating func receive(
        _ message: borrowing Span<UInt8>,
        _ material: inout SASLMaterial
    ) -> SASLExchange.Effect {
        .failed(.weak)
    }
}
