// SPDX-License-Identifier: Apache-2.0
//
// The message that a report is about.

package import MailSyntax

/// A message, as a report tells of it and gives it back.
package struct ReportedMessage: Hashable, Sendable {
    /// Where the report goes; a message with the null reverse-path has no report.
    package var reversePath: [UInt8]
    package var options: EnvelopeOptions
    /// When it was accepted, in seconds since 1970.
    package var arrivedAt: Int64
    /// When it is given up, in seconds since 1970.
    package var expiresAt: Int64
    /// The content from its beginning: the whole of it when `isWhole`, else at least its header
    /// fields, as far as they were read.
    package var content: [UInt8]
    package var isWhole: Bool

    package init(
        reversePath: [UInt8],
        options: EnvelopeOptions = EnvelopeOptions(),
        arrivedAt: Int64,
        expiresAt: Int64,
        content: [UInt8],
        isWhole: Bool = false
    ) {
        self.reversePath = reversePath
        self.options = options
        self.arrivedAt = arrivedAt
        self.expiresAt = expiresAt
        self.content = content
        self.isWhole = isWhole
    }
}
