// SPDX-License-Identifier: Apache-2.0
//
// What a client has kept to resume its sessions. A ticket of TLS 1.3 is for one use (RFC 8446,
// appendix C.4); one of TLS 1.2 is kept, because a server need not send another.

internal import COpenSSL

/// The sessions of a client that can be resumed.
@safe
final class KeptSessions {
    private var sessions: [OpaquePointer] = unsafe []
    private static let sessionsMax = 1024

    deinit {
        unsafe self.sessions.forEach { unsafe SSL_SESSION_free($0) }
    }

    /// Takes over a reference.
    func keep(_ session: OpaquePointer) {
        unsafe self.sessions.append(session)
        guard unsafe self.sessions.count > Self.sessionsMax else { return }
        unsafe SSL_SESSION_free(self.sessions.removeFirst())
    }

    /// The latest session, with a reference for the caller.
    func take() -> OpaquePointer? {
        guard let session = unsafe self.sessions.last else { return nil }
        if unsafe SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION {
            unsafe self.sessions.removeLast()
        } else {
            unsafe SSL_SESSION_up_ref(session)
        }
        return unsafe session
    }
}
