// SPDX-License-Identifier: Apache-2.0
//
// Where a file really is, and whether it is still the same.

internal import Glibc

/// What tells a changed file from an unchanged one.
package struct FileStamp: Equatable, Sendable {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int
    private let seconds: Int
    private let nanoseconds: Int

    /// Nil when there is no such file, or none that can be looked at.
    package init?(of path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.device = UInt64(status.st_dev)
        self.inode = UInt64(status.st_ino)
        self.size = Int(status.st_size)
        self.seconds = status.st_mtim.tv_sec
        self.nanoseconds = status.st_mtim.tv_nsec
    }
}

/// Paths of files.
package enum FilePlace {
    /// The directories that a file is reached through when it is renewed: the one of its name, and
    /// the one that it lies in when its name is a symbolic link.
    package static func directories(of path: String) -> [String] {
        var directories = [self.parent(of: path)]
        if let real = unsafe realpath(path, nil) {
            defer { unsafe free(real) }
            let directory = unsafe self.parent(of: String(cString: real))
            if !directories.contains(directory) { directories.append(directory) }
        }
        return directories
    }

    /// Nil when there is nothing of that name, or nothing that can be looked at.
    static func isDirectory(_ path: String) -> Bool? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return status.st_mode & S_IFMT == S_IFDIR
    }

    /// What stands before the last slash, or ".".
    package static func parent(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
