// SPDX-License-Identifier: Apache-2.0

/// What is wrong with a certificate, a key, or another file that TLS needs.
package struct TLSError: Error, CustomStringConvertible {
    /// The file, or what could not be done.
    package let subject: String
    package let reason: String

    package init(_ subject: String, _ reason: String) {
        self.subject = subject
        self.reason = reason
    }

    package var description: String { "\(self.subject): \(self.reason)" }
}
