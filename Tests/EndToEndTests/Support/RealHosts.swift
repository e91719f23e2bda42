// SPDX-License-Identifier: Apache-2.0
//
// Real servers as neighbours: Postfix and Dovecot, unpacked from Debian's packages beside the build.

import Foundation
import Testing

/// A process that is ended, with its children, when its owner goes.
private final class PeerProcess {
    let process = Process()
    let scratch: ScratchDirectory

    /// Runs a program of the folder Clients with the peers, a directory and a port.
    init(_ name: String, _ port: Int, _ arguments: [String]) throws {
        self.scratch = try ScratchDirectory()
        let output = try self.scratch.file("output")
        self.process.executableURL = URL(filePath: "/usr/bin/setsid")
        self.process.arguments =
            [Client.path(name), Client.peers.path, self.scratch.path, "\(port)"] + arguments
        self.process.standardOutput = try output.writingHandle()
        self.process.standardError = try output.writingHandle()
        try self.process.run()
        let deadline = Date(timeIntervalSinceNow: 20)
        while Date() < deadline, self.process.isRunning {
            if let connection = try? Connection(port: port), (try? connection.line()) != nil {
                return
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
        let said = String(decoding: try output.read(), as: UTF8.self)
        throw ConnectionFailure(description: "\(name) does not greet: \(said)\(self.log)")
    }

    var log: String {
        (try? String(contentsOfFile: self.scratch.path + "/log", encoding: .utf8)) ?? ""
    }

    /// The content of the messages in a maildir, once there are so many.
    func mail(in folder: String, _ count: Int, within seconds: Double = 20) -> [Message] {
        let url = self.scratch.url.appending(path: "mail/\(folder)/new")
        let deadline = Date(timeIntervalSinceNow: seconds)
        while true {
            let files =
                (try? FileManager.default.contentsOfDirectory(
                    at: url,
                    includingPropertiesForKeys: nil
                )) ?? []
            if files.count >= count || Date() > deadline {
                return files.sorted { $0.path < $1.path }.compactMap {
                    (try? Data(contentsOf: $0)).map { Message(octets: Array($0)) }
                }
            }
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    deinit {
        // A session of its own: the children end with it.
        kill(-self.process.processIdentifier, SIGTERM)
        self.process.terminate()
        if !self.process.ended(within: 5) { self.process.killAtOnce() }
    }
}

/// A whole Postfix that takes mail for one domain, and gives all other mail to another host.
final class RealPostfix {
    let port = Port.next()
    private let peer: PeerProcess

    /// Its master must be root, and everything must be unpacked.
    static let isPossible =
        geteuid() == 0
        && FileManager.default.fileExists(
            atPath: Client.peers.appending(path: "usr/lib/postfix/sbin/master").path
        )
    static let whyNot: Comment = "as root, run `make peers` to unpack Postfix"

    init(domain: String, relayPort: Int = 9, identity: TLSIdentity? = nil) throws {
        let files = identity.map { [$0.certificate, $0.key] } ?? []
        self.peer = try PeerProcess(
            "run-postfix",
            self.port,
            ["[127.0.0.1]:\(relayPort)", domain] + files
        )
    }

    var log: String { self.peer.log }

    /// What it has taken for its domain, with LF line ends.
    func mail(_ count: Int) -> [Message] { self.peer.mail(in: "all", count) }
}

/// Dovecot's LMTP with a few users.
final class RealDovecot {
    let port = Port.next()
    private let peer: PeerProcess

    static let isPossible =
        geteuid() == 0
        && FileManager.default.isExecutableFile(
            atPath: Client.peers.appending(path: "usr/lib/dovecot/lmtp").path
        )
    static let whyNot: Comment = "as root, run `make peers` to unpack Dovecot"

    init(users: [String]) throws {
        self.peer = try PeerProcess("run-dovecot", self.port, users)
    }

    func mail(of user: String, _ count: Int) -> [Message] { self.peer.mail(in: user, count) }
}
