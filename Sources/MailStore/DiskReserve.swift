// SPDX-License-Identifier: Apache-2.0
//
// Room kept on the disk by a file that holds nothing. When the disk is full, whoever filled it,
// the file is given up, so that mail can still be removed; new mail waits until it is back.

internal import CSQLite
internal import Glibc

/// A file whose blocks are room for hard times.
struct DiskReserve: ~Copyable {
    private let descriptor: Int32
    private let octetsMax: Int
    private var octets: Int

    /// A reserve of `octets` in `directory`; taken as far as there is room.
    init(in directory: StoreDirectory, octets octetsMax: Int) throws(StoreError) {
        let file = "\(directory.path)/reserve"
        self.descriptor = unsafe open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard self.descriptor >= 0 else { throw StoreDirectory.failure("cannot open \(file)") }
        self.octetsMax = octetsMax
        var status = stat()
        self.octets = unsafe fstat(self.descriptor, &status) == 0 ? Int(status.st_size) : 0
        if self.octets > octetsMax, ftruncate(self.descriptor, octetsMax) == 0 {
            self.octets = octetsMax
        }
        self.fill(from: directory.freeOctets)
    }

    deinit { close(self.descriptor) }

    /// Whether so much is kept that new mail may come.
    var isInPlace: Bool { self.octets >= self.octetsMax / 4 }

    /// Takes room again, at most half of what is free, which the log needs as well.
    mutating func fill(from freeOctets: Int) {
        let wanted = min(self.octetsMax - self.octets, freeOctets / 2)
        guard wanted >= min(self.octetsMax / 4, self.octetsMax - self.octets), wanted > 0 else {
            return
        }
        guard posix_fallocate(self.descriptor, self.octets, wanted) == 0 else {
            _ = ftruncate(self.descriptor, self.octets)
            return
        }
        self.octets += wanted
    }

    /// Gives the room up; returns whether there was any.
    mutating func release() -> Bool {
        guard self.octets > 0, ftruncate(self.descriptor, 0) == 0 else { return false }
        self.octets = 0
        return true
    }
}
