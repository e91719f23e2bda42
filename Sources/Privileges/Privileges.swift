// SPDX-License-Identifier: Apache-2.0
//
// What a process gives up for good. Nothing here can be taken back, and that is looked at.

internal import CLinux
internal import Glibc

/// The privileges of this process.
package enum Privileges {
    /// Whether it may become anybody.
    package static var areRoots: Bool { geteuid() == 0 }

    /// Lets the process become another user, with the groups of that user, and for good.
    ///
    /// For all its threads, those that start later too.
    package static func become(_ user: ServiceUser) throws(PrivilegeError) {
        // Groups first: whoever is no longer root cannot change them.
        guard unsafe initgroups(user.name, user.group) == 0 else {
            throw PrivilegeError("cannot take the groups of \(user.name)", code: errno)
        }
        guard setgid(user.group) == 0 else {
            throw PrivilegeError("cannot take the group of \(user.name)", code: errno)
        }
        guard setuid(user.id) == 0 else {
            throw PrivilegeError("cannot become the user \(user.name)", code: errno)
        }
        try self.checkThereIsNoWayBack(user)
    }

    private static func checkThereIsNoWayBack(_ user: ServiceUser) throws(PrivilegeError) {
        let isUser = getuid() == user.id && geteuid() == user.id
        let isGroup = getgid() == user.group && getegid() == user.group
        // A saved id of root would let it.
        let canReturn = user.id != 0 && (setuid(0) == 0 || seteuid(0) == 0)
        let canReturnGroup = user.group != 0 && setegid(0) == 0
        guard isUser, isGroup, !canReturn, !canReturnGroup else {
            throw PrivilegeError("the process could become root again after becoming \(user.name)")
        }
    }

    /// Neither this process nor what it starts gets privileges by executing a file.
    ///
    /// For the calling thread and those it starts.
    package static func forbidNewOnes() throws(PrivilegeError) {
        guard clinux_forbid_new_privileges() == 0 else {
            throw PrivilegeError("cannot forbid new privileges", code: errno)
        }
    }

    /// Passwords and keys in memory must not come to a disk, nor before another process.
    ///
    /// A change of user takes this back, so that it is to be done again.
    package static func forbidCoreDumps() throws(PrivilegeError) {
        guard clinux_forbid_core_dumps() == 0 else {
            throw PrivilegeError("cannot forbid core dumps", code: errno)
        }
    }
}
