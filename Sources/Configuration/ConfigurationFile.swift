// SPDX-License-Identifier: Apache-2.0
//
// Reads the octets of a configuration file, and says in words why it cannot.

internal import Glibc

/// A file with its name and octets.
enum ConfigurationFile {
    /// Why a file cannot be read.
    struct Unreadable: Error {
        let why: String
    }

    /// More octets than any configuration has.
    static let octetsMax = 1 << 20

    /// The octets of the file.
    static func read(_ path: String) throws(Unreadable) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Unreadable(why: self.cause(errno)) }
        defer { close(descriptor) }
        var octets: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while octets.count <= self.octetsMax {
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Unreadable(why: self.cause(errno)) }
            guard count > 0 else { return octets }
            octets += chunk[..<count]
        }
        throw Unreadable(why: "cannot be read: it has more than \(self.octetsMax) octets")
    }

    /// What stands before the last slash, or ".".
    static func directory(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// A path that a file names: absolute as it is, else within the directory of the file.
    static func resolve(_ path: String, in directory: String) -> String {
        if path.hasPrefix("/") || directory == "." { return path }
        return directory == "/" ? "/\(path)" : "\(directory)/\(path)"
    }

    private static func cause(_ code: Int32) -> String {
        switch code {
        case ENOENT: "there is no such file"
        case EISDIR: "cannot be read: it is a directory"
        case EACCES: "cannot be read: permission denied"
        default: "cannot be read: the system says error \(code)"
        }
    }
}
