// SPDX-License-Identifier: Apache-2.0
//
// The data directory: made when it is missing, closed to others, and locked, because the store
// belongs to one process.

internal import CSQLite
internal import Glibc

/// The directory of a store, locked for as long as this object lives.
final class StoreDirectory {
    private let lock: Int32
    let path: String

    /// The database file in a directory.
    static func database(in directory: String) -> String { "\(directory)/mail.sqlite" }

    init(_ path: String) throws(StoreError) {
        self.path = path
        if unsafe mkdir(path, 0o700) == 0 {
            // The entry of the directory must survive as well as what is in it.
            try Self.sync("\(path)/..")
        } else if errno != EEXIST {
            throw Self.failure("cannot make \(path)")
        }
        let file = "\(path)/lock"
        let descriptor = unsafe open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("cannot open \(file)") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = Self.holder(descriptor)
            close(descriptor)
            throw .inUse("another process\(holder) has the store in \(path)")
        }
        self.lock = descriptor
        let text = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        unsafe _ = text.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    deinit { close(self.lock) }

    private static func holder(_ descriptor: Int32) -> String {
        var digits = [UInt8](repeating: 0, count: 16)
        let count = unsafe digits.withUnsafeMutableBytes {
            unsafe pread(descriptor, $0.baseAddress, $0.count, 0)
        }
        guard count > 1 else { return "" }
        return " (\(String(decoding: digits[..<(count - 1)], as: UTF8.self)))"
    }

    /// Makes the database file before SQLite does, which would let others read it; the log and
    /// its index take their modes from it.
    func makeDatabaseFile() throws(StoreError) {
        let file = Self.database(in: self.path)
        let descriptor = unsafe open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("cannot open \(file)") }
        defer { close(descriptor) }
        guard fchmod(descriptor, 0o600) == 0 else {
            throw Self.failure("cannot close \(file) to others")
        }
        try Self.sync(self.path)
    }

    /// Makes the entries of a directory durable.
    private static func sync(_ path: String) throws(StoreError) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure("cannot open \(path)") }
        defer { close(descriptor) }
        // Some file systems cannot sync a directory, and say so.
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw Self.failure("cannot sync \(path)")
        }
    }

    static func failure(_ what: String) -> StoreError {
        errno == ENOSPC ? .full : unsafe .retryable("\(what): \(String(cString: strerror(errno)))")
    }

    /// The octets that are left on the file system.
    var freeOctets: Int {
        var status = statvfs()
        guard unsafe statvfs(self.path, &status) == 0 else { return .max }
        return Int(status.f_bavail) * Int(status.f_frsize)
    }
}
