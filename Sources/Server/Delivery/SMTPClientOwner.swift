// SPDX-License-Identifier: Apache-2.0

/// Who has a connection made to another server, and gives it messages.
///
/// A driver calls from within its own turn; `deliver` and `quit` may be called from within these
/// calls, and at any other time.
package protocol SMTPClientOwner: AnyObject {
    /// The peer takes a message: `deliver` or `quit` is wanted, now or later.
    func isReady(_ driver: SMTPClientDriver)
    /// A message is over: `driver.session.outcomes` say what became of its recipients.
    ///
    /// If the peer takes another, `isReady` follows.
    func messageFinished(_ driver: SMTPClientDriver)
    /// A part of the content is wanted: `contentRead` or `contentFailed`, not from within this
    /// call.
    func readContent(for driver: SMTPClientDriver, offset: Int, octetsMax: Int)
    /// The connection is gone, and every message of it is over; the last call.
    ///
    /// `driver.failure` says why, when nobody asked for it.
    func connectionEnded(_ driver: SMTPClientDriver)
    /// Each reply of the peer and each line said to it may be shown to somebody; not content.
    func overheard(_ octets: borrowing Span<UInt8>, isOurs: Bool, on driver: SMTPClientDriver)
}

extension SMTPClientOwner {
    package func overheard(
        _ octets: borrowing Span<UInt8>,
        isOurs: Bool,
        on driver: SMTPClientDriver
    ) {}
}
