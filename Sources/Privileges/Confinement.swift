// SPDX-License-Identifier: Apache-2.0
//
// Landlock (landlock(7)): a process takes from itself the right to reach any file but those that it
// names. Whoever gets into it gets no farther.

internal import CLinux
internal import Glibc

/// What a process still reaches once it is confined.
package struct Confinement: Sendable {
    /// Directories, for everything but execution.
    package var writable: [String] = []
    /// Files, and directories with what is below them.
    package var readable: [String] = []
    /// Directories in which sockets are made and removed.
    package var socketDirectories: [String] = []
    /// TCP ports that are bound later; from kernel 6.7 on no other can be.
    package var ports: [UInt16] = []
    /// TCP ports that are connected to; from kernel 6.7 on no other can be.
    package var connectedPorts: [UInt16] = []

    package init() {}

    /// What the kernel holds it to.
    package struct Report: Sendable, Equatable {
        /// Landlock's version.
        package let version: Int
        /// Whether TCP is confined as well as files.
        package let confinesPorts: Bool
        /// Whether signals and abstract Unix sockets stay within the process.
        package let confinesSignals: Bool
    }

    /// Confines the calling thread and those it starts; nil when the kernel has no Landlock.
    ///
    /// New privileges must have been forbidden before. A path that does not exist is left out.
    package func enter() throws(PrivilegeError) -> Report? {
        let version = Int(clinux_landlock_version())
        guard version >= 1 else { return nil }
        let files = FileAccess.known(to: version)
        var handled = clinux_landlock_ruleset()
        handled.files = files.rawValue
        if version >= Self.portsVersion { handled.ports = Self.bind | Self.connect }
        if version >= Self.scopesVersion { handled.scopes = Self.abstractSockets | Self.signals }
        let ruleset = clinux_landlock_create(Int32(version), handled)
        guard ruleset >= 0 else { throw PrivilegeError("cannot make Landlock rules", code: errno) }
        defer { close(ruleset) }
        for path in self.writable { try Self.allow(.own.intersection(files), path, ruleset) }
        for path in self.readable { try Self.allow(.reading, path, ruleset) }
        for path in self.socketDirectories { try Self.allow(.sockets, path, ruleset) }
        if version >= Self.portsVersion {
            try Self.allow(Self.bind, self.ports, ruleset)
            try Self.allow(Self.connect, self.connectedPorts, ruleset)
        }
        guard clinux_landlock_restrict_self(ruleset) == 0 else {
            throw PrivilegeError("cannot confine the process by Landlock", code: errno)
        }
        return Report(
            version: version,
            confinesPorts: version >= Self.portsVersion,
            confinesSignals: version >= Self.scopesVersion
        )
    }

    private static func allow(
        _ access: FileAccess,
        _ path: String,
        _ ruleset: Int32
    ) throws(PrivilegeError) {
        guard let isDirectory = FilePlace.isDirectory(path) else { return }
        let access = isDirectory ? access : access.intersection(.ofFile)
        let code = unsafe clinux_landlock_allow_path(ruleset, path, access.rawValue)
        guard code == 0 || errno == ENOENT else {
            throw PrivilegeError("cannot allow \(path) by Landlock", code: errno)
        }
    }

    private static func allow(
        _ access: UInt64,
        _ ports: [UInt16],
        _ ruleset: Int32
    ) throws(PrivilegeError) {
        for port in Set(ports) {
            guard clinux_landlock_allow_port(ruleset, access, UInt64(port)) == 0 else {
                throw PrivilegeError("cannot allow port \(port) by Landlock", code: errno)
            }
        }
    }

    private static let portsVersion = 4
    private static let scopesVersion = 6
    private static let bind: UInt64 = 1 << 0
    private static let connect: UInt64 = 1 << 1
    private static let abstractSockets: UInt64 = 1 << 0
    private static let signals: UInt64 = 1 << 1

    /// LANDLOCK_ACCESS_FS_*, bit for bit.
    private struct FileAccess: OptionSet {
        let rawValue: UInt64

        static let writeFile = FileAccess(rawValue: 1 << 1)
        static let readFile = FileAccess(rawValue: 1 << 2)
        static let readDirectory = FileAccess(rawValue: 1 << 3)
        static let removeFile = FileAccess(rawValue: 1 << 5)
        static let makeFile = FileAccess(rawValue: 1 << 8)
        static let makeSocket = FileAccess(rawValue: 1 << 9)
        static let truncate = FileAccess(rawValue: 1 << 14)

        static let reading: FileAccess = [.readFile, .readDirectory]
        static let sockets: FileAccess = [.makeSocket, .removeFile]
        static let own: FileAccess = [
            .readFile, .readDirectory, .writeFile, .truncate, .makeFile, .makeSocket, .removeFile,
        ]
        /// What can be allowed of something that is no directory.
        static let ofFile: FileAccess = [.readFile, .writeFile, .truncate]

        /// All that a version of Landlock can forbid.
        static func known(to version: Int) -> FileAccess {
            let count =
                switch version {
                case 1: 13
                case 2: 14
                case 3, 4: 15
                default: 16
                }
            return FileAccess(rawValue: 1 << UInt64(count) - 1)
        }
    }
}
