// SPDX-License-Identifier: Apache-2.0
//
// The servers of the system: the lines `nameserver` of resolv.conf(5). Search lists and options
// are for people at terminals, not for mail.

internal import Glibc
internal import MailBytes

/// A file in the form of resolv.conf(5), as it was when it was read.
struct ResolvConf: Equatable {
    /// Never empty: without any, the server on this host is meant.
    let servers: [NetworkAddress]

    /// Reads the file; one that is not there, or cannot be read, names no server.
    init(file: String) { self.init(text: Self.read(file)) }

    init(text: [UInt8]) {
        var servers: [NetworkAddress] = []
        for line in text.split(separator: .lf) {
            let words = line.split { $0 == .space || $0 == 0x09 || $0 == .cr }
            guard words.count >= 2, words[0].elementsEqual("nameserver".utf8),
                let address = NetworkAddress(parsing: String(decoding: words[1], as: UTF8.self)),
                servers.count < Self.serversMax, !servers.contains(address)
            else { continue }
            servers.append(address)
        }
        self.servers = servers.isEmpty ? [NetworkAddress(ipv4: 0x7f00_0001, port: 0)] : servers
    }

    /// The C library heeds three as well.
    private static let serversMax = 3
    private static let octetsMax = 65_536

    private static func read(_ file: String) -> [UInt8] {
        let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var octets = [UInt8](repeating: 0, count: self.octetsMax)
        var count = 0
        while count < octets.count {
            let more = unsafe octets.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(
                    descriptor,
                    buffer.baseAddress.map { unsafe $0 + count },
                    buffer.count - count
                )
            }
            guard more > 0 else { break }
            count += more
        }
        return Array(octets.prefix(count))
    }
}

/// What tells one state of a file from another without reading it.
struct FileStamp: Equatable {
    private let inode: UInt
    private let octets: Int
    private let seconds: Int
    private let nanoseconds: Int

    /// Nil for a file that is not there.
    init?(_ file: String) {
        var status = stat()
        guard unsafe stat(file, &status) == 0 else { return nil }
        self.inode = UInt(status.st_ino)
        self.octets = Int(status.st_size)
        self.seconds = status.st_mtim.tv_sec
        self.nanoseconds = status.st_mtim.tv_nsec
    }
}
