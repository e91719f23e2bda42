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
        if unsafe mkdir(path, 0o700) != 0, errno != EEXIST {
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

    private static func failure(_ what: String) -> StoreError {
        unsafe .retryable("\(what): \(String(cString: strerror(errno)))")
    }

    /// Whether less room than this is left on the file system.
    func hasLessRoom(than octets: Int) -> Bool {
        guard octets > 0 else { return false }
        var status = statvfs()
        guard unsafe statvfs(self.path, &status) == 0 else { return false }
        return Int(status.f_bavail) * Int(status.f_frsize) < octets
    }
}
