// SPDX-License-Identifier: Apache-2.0
//
// The data directory of a server that root starts and that then is another user.

internal import Glibc

/// A directory that belongs to the user of a service, and is open to nobody else.
package enum OwnDirectory {
    /// Makes the directory when it is missing, durably, and gives it to the user.
    ///
    /// What root made in it before (accounts that were added) goes to the user as well, as long as
    /// nobody but root could have put it there.
    package static func prepare(
        _ path: String,
        for user: ServiceUser?
    ) throws(PrivilegeError) {
        if unsafe mkdir(path, 0o700) == 0 {
            try self.sync("\(path)/..")
        } else if errno != EEXIST {
            throw PrivilegeError("cannot make \(path)", code: errno)
        }
        guard let user, user.id != 0 else { return }
        let directory = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw PrivilegeError("cannot open \(path)", code: errno) }
        defer { close(directory) }
        var status = stat()
        guard unsafe fstat(directory, &status) == 0 else {
            throw PrivilegeError("cannot look at \(path)", code: errno)
        }
        guard status.st_uid != user.id else { return }
        guard status.st_uid == 0, status.st_mode & 0o022 == 0 else {
            throw PrivilegeError("\(path) belongs neither to \(user.name) nor to root alone")
        }
        try self.give(path, directory, to: user)
    }

    private static func give(
        _ path: String,
        _ directory: Int32,
        to user: ServiceUser
    ) throws(PrivilegeError) {
        for name in try self.names(in: path) {
            let isGiven = unsafe fchownat(directory, name, user.id, user.group, AT_SYMLINK_NOFOLLOW)
            guard isGiven == 0 else {
                throw PrivilegeError("cannot give \(path)/\(name) to \(user.name)", code: errno)
            }
        }
        // Last: once it is the user's, so is what is put into it.
        guard fchown(directory, user.id, user.group) == 0 else {
            throw PrivilegeError("cannot give \(path) to \(user.name)", code: errno)
        }
    }

    private static func names(in path: String) throws(PrivilegeError) -> [String] {
        guard let stream = unsafe opendir(path) else {
            throw PrivilegeError("cannot read \(path)", code: errno)
        }
        defer { unsafe _ = closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func sync(_ path: String) throws(PrivilegeError) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw PrivilegeError("cannot open \(path)", code: errno) }
        defer { close(descriptor) }
        // Some file systems cannot sync a directory, and say so.
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw PrivilegeError("cannot sync \(path)", code: errno)
        }
    }
}
