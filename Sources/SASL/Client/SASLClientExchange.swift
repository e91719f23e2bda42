// SPDX-License-Identifier: Apache-2.0
//
// One SASL exchange from the client's side (RFC 4422), in the base64 lines of SMTP (RFC 4954). It
// knows no secret but for the moment in which it is sent: it asks.

/// A client's SASL exchange as a pure state machine.
public struct SASLClientExchange: ~Copyable {
    /// An exchange that has not begun.
    public init() {}
}
