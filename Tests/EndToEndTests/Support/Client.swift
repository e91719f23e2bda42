// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The programs of the folder Clients, and those of Postfix that are unpacked beside the build.
enum Client {
    static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Clients")

    static let repository =
        folder
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func path(_ name: String) -> String { self.folder.appending(path: name).path }

    /// Where Postfix is unpacked.
    static let peers = repository.appending(path: ".build/peers")

    /// Postfix's smtp-source, if it is unpacked.
    static var smtpSource: String? { self.postfix("smtp-source") }

    /// Postfix's smtp-sink, if it is unpacked.
    static var smtpSink: String? { self.postfix("smtp-sink") }

    private static func postfix(_ name: String) -> String? {
        let path = self.peers.appending(path: "usr/sbin/\(name)").path
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }

    static let nsd = peers.appending(path: "usr/sbin/nsd").path

    static func ldns(_ name: String) -> String {
        self.peers.appending(path: "usr/bin/\(name)").path
    }

    /// Lets unpacked programs find their libraries.
    static var peerEnvironment: [String: String] {
        let libraries = self.peers.appending(path: "usr/lib")
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: libraries.path)) ?? []
        let paths = folders.map { libraries.appending(path: $0).path }
        return ["LD_LIBRARY_PATH": paths.joined(separator: ":")]
    }
}
