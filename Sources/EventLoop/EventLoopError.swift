// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What the system refused.
package struct EventLoopError: Error, CustomStringConvertible {
    /// The call that failed.
    package let call: String
    /// Its errno.
    package let code: Int32

    init(_ call: String, code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    /// Why, in a few words without a capital: "connection refused", "timed out".
    package var reason: String { Self.reason(self.code) }

    static func reason(_ code: Int32) -> String {
        // The system says "Connection timed out", which others say of an idle connection.
        if code == ETIMEDOUT { return "timed out" }
        guard let text = unsafe strerror(code) else { return "error \(code)" }
        let words = unsafe String(cString: text)
        return words.prefix(1).lowercased() + words.dropFirst()
    }

    /// The system's words for the failure.
    package var description: String {
        unsafe "\(self.call): \(String(cString: strerror(self.code)))"
    }
}
