// SPDX-License-Identifier: Apache-2.0
//
// Socket activation: systemd opens sockets and hands them over (sd_listen_fds(3)), so that a server
// needs no privileges for low ports, and no connection is refused while it restarts.

internal import CLinux
internal import Glibc

/// The descriptors that whoever started this process has handed over.
package enum PassedDescriptors {
    /// The first of them.
    private static let first: Int32 = 3
    /// More than anybody passes.
    private static let countMax = 4096

    /// Takes them once: what this process starts must not take them for its own.
    package static func take() -> [Int32] {
        defer {
            for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] { unsafe _ = unsetenv(name) }
        }
        guard self.variable("LISTEN_PID").flatMap({ Int32($0) }) == getpid(),
            let count = self.variable("LISTEN_FDS").flatMap({ Int($0) }),
            0...self.countMax ~= count
        else { return [] }
        let descriptors = (0..<Int32(count)).map { self.first + $0 }
        for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        return descriptors
    }

    private static func variable(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
