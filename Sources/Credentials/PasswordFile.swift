// SPDX-License-Identifier: Apache-2.0
//
// A password that the server shows to others, in a file of its own.

internal import Glibc

/// A file whose first line is a password.
package enum PasswordFile {
    /// Why the password cannot be had.
    package enum Failure: Error, Equatable, Sendable {
        /// The system's error number.
        case unreadable(Int32)
        /// Others than its owner and its group may read it, or others than its owner write it.
        case openToOthers
        /// The first line is empty, longer than `octetsMax`, or holds a NUL.
        case malformed
    }

    package static let octetsMax = 1024

    /// The first line of the file, without its line end.
    package static func read(_ path: String) throws(Failure) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .unreadable(errno) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadable(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .malformed }
        guard status.st_mode & 0o027 == 0 else { throw .openToOthers }
        var octets = [UInt8](repeating: 0, count: self.octetsMax + 2)
        let count = unsafe Glibc.read(descriptor, &octets, octets.count)
        guard count >= 0 else { throw .unreadable(errno) }
        var line = octets.prefix(count).prefix { $0 != 0x0a }
        if line.last == 0x0d { line.removeLast() }
        guard !line.isEmpty, line.count <= self.octetsMax, !line.contains(0) else {
            throw .malformed
        }
        return Array(line)
    }
}
