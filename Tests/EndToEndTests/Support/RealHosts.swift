// SPDX-License-Identifier: Apache-2.0
//
// Real servers as neighbours: Postfix and Dovecot, unpacked from Debian's packages beside the
// build.

import Foundation
import Testing

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
        let scratch = try ScratchDirectory()
        self.peer = try PeerProcess(
            [
                Client.path("run-postfix"), Client.peers.path, scratch.path, "\(self.port)",
                "[127.0.0.1]:\(relayPort)", domain,
            ] + files,
            in: scratch,
            port: self.port
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
        ) && RealDovecot.mayMount
    static let whyNot: Comment =
        "as root, and not in a chroot, which can have no mounts of its own; `make peers` unpacks it"

    private static let mayMount =
        (try? Command.run("/usr/bin/unshare", ["--mount", "true"]))?.exitCode == 0

    init(users: [String]) throws {
        let scratch = try ScratchDirectory()
        self.peer = try PeerProcess(
            [Client.path("run-dovecot"), Client.peers.path, scratch.path, "\(self.port)"] + users,
            in: scratch,
            port: self.port
        )
    }

    func mail(of user: String, _ count: Int) -> [Message] { self.peer.mail(in: user, count) }
}
