// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A user of the system, as whom a server runs.
package struct ServiceUser: Sendable, Equatable {
    package let name: String
    package let id: UInt32
    package let group: UInt32

    /// Looks a user up; nil when there is none of that name.
    package init?(named name: String) throws(PrivilegeError) {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var room = [CChar](repeating: 0, count: 1 << 14)
        let code = unsafe room.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return ENOMEM }
            return unsafe getpwnam_r(name, &entry, start, buffer.count, &found)
        }
        guard code == 0 else { throw PrivilegeError("cannot look up the user \(name)", code: code) }
        guard unsafe found != nil else { return nil }
        self.name = name
        self.id = unsafe entry.pw_uid
        self.group = unsafe entry.pw_gid
    }
}
