// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What the system refused when a process was to give something up.
package struct PrivilegeError: Error, CustomStringConvertible {
    /// What was tried, and what came of it.
    package let description: String

    init(_ description: String) {
        self.description = description
    }

    /// An error with what the system says of it.
    init(_ attempt: String, code: Int32) {
        self.description = unsafe "\(attempt): \(String(cString: strerror(code)))"
    }
}
