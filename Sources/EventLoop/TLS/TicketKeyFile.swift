// SPDX-License-Identifier: Apache-2.0
//
// Where the keys of session tickets wait for the next start: each with the second it was made in,
// as eight octets before its own. A loss costs full handshakes and no more, so nothing is synced.

internal import Glibc

/// Reads and writes keys.
enum TicketKeyFile {
    private static let recordOctets = 8 + TicketKeys.Key.octetCount
    private static let keysMax = 2

    /// The keys of a file that is ours alone; none when it is anything else.
    static func read(_ path: String) -> [TicketKeys.Key] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & 0o7777 == 0o600,
            status.st_uid == geteuid()
        else { return [] }
        var octets = [UInt8](repeating: 0, count: self.keysMax * self.recordOctets + 1)
        let count = unsafe Glibc.read(descriptor, &octets, octets.count)
        guard count > 0, count % self.recordOctets == 0 else { return [] }
        return stride(from: 0, to: count, by: self.recordOctets).map { start in
            let madeAt = octets[start..<(start + 8)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return TicketKeys.Key(
                madeAt: Int(truncatingIfNeeded: madeAt & UInt64(Int.max)),
                octets: Array(octets[(start + 8)..<(start + self.recordOctets)])
            )
        }
    }

    /// Replaces the file as a whole.
    static func write(_ keys: [TicketKeys.Key], to path: String) throws(TLSError) {
        var octets: [UInt8] = []
        for key in keys {
            for shift in stride(from: 56, through: 0, by: -8) {
                octets.append(UInt8(truncatingIfNeeded: key.madeAt >> shift))
            }
            octets += key.octets
        }
        let new = "\(path).new"
        unsafe _ = unlink(new)
        let descriptor = unsafe open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw self.failure(new) }
        fchmod(descriptor, 0o600)
        let count = unsafe Glibc.write(descriptor, octets, octets.count)
        close(descriptor)
        guard unsafe count == octets.count && rename(new, path) == 0 else {
            throw self.failure(path)
        }
    }

    private static func failure(_ path: String) -> TLSError {
        unsafe TLSError(path, String(cString: strerror(errno)))
    }
}
