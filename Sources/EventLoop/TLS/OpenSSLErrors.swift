// SPDX-License-Identifier: Apache-2.0
//
// OpenSSL keeps the errors of a thread in a queue of its own, where what one stream leaves would be
// taken for another's.

internal import COpenSSL
internal import Glibc

/// The error queue of this thread.
enum OpenSSLErrors {
    static func clear() { ERR_clear_error() }

    /// The words for the last error, and an empty queue.
    static func take() -> String {
        defer { ERR_clear_error() }
        return self.text(of: ERR_peek_last_error())
    }

    static func text(of code: UInt) -> String {
        guard code != 0 else { return "no reason was given" }
        guard let reason = unsafe ERR_reason_error_string(code) else { return "error \(code)" }
        return unsafe String(cString: reason)
    }

    /// Throws what the system has against reading a file, in its words.
    static func checkReadable(_ path: String) throws(TLSError) {
        // Opened, because access(2) knows nothing of Landlock.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor < 0 else {
            close(descriptor)
            return
        }
        throw unsafe TLSError(path, String(cString: strerror(errno)))
    }
}
