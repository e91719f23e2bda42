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

    /// The system's words for the failure.
    package var description: String {
        unsafe "\(self.call): \(String(cString: strerror(self.code)))"
    }
}
