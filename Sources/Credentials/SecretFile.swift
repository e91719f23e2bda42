// SPDX-License-Identifier: Apache-2.0
//
// A secret that lives as long as the data beside it: random octets in a file of their own.

internal import Glibc

/// A file of 32 random octets, readable by its owner alone.
package enum SecretFile {
    /// Why the secret cannot be had; an errno.
    package struct Failure: Error, Equatable, Sendable {
        package let code: Int32
    }

    package static let octetCount = 32

    /// The secret, which is made when there is none.
    ///
    /// A file that is cut short, as by a full disk, is made anew.
    package static func read(_ path: String) throws(Failure) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw Failure(code: errno) }
            return try self.make(path)
        }
        defer { close(descriptor) }
        var octets = [UInt8](repeating: 0, count: self.octetCount + 1)
        let count = unsafe Glibc.read(descriptor, &octets, octets.count)
        guard count >= 0 else { throw Failure(code: errno) }
        guard count == self.octetCount else { return try self.make(path) }
        return Array(octets.prefix(self.octetCount))
    }

    /// The file is there whole or not at all, whenever the process or the power ends.
    private static func make(_ path: String) throws(Failure) -> [UInt8] {
        let octets = randomOctets(self.octetCount)
        let new = "\(path).new"
        unsafe _ = unlink(new)
        let descriptor = unsafe open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(code: errno) }
        let isWritten =
            unsafe write(descriptor, octets, octets.count) == octets.count && fsync(descriptor) == 0
        let code = errno
        close(descriptor)
        guard isWritten else { throw Failure(code: code == 0 ? EIO : code) }
        guard unsafe rename(new, path) == 0 else { throw Failure(code: errno) }
        return octets
    }
}
