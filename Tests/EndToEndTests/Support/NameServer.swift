// SPDX-License-Identifier: Apache-2.0
//
// The domain name system of a test: NSD with zones of the test's making, some of them signed with
// ldns's tools.

import Foundation
import Testing

/// NSD on a port of its own; it ends with its owner.
final class NameServer {
    /// A zone; `records` are the lines after its own records.
    struct Zone {
        let name: String
        private(set) var records: String
        var isSigned = false
        /// Signed, but so long ago that the signatures have expired.
        var isExpired = false

        init(_ name: String, isSigned: Bool = false, isExpired: Bool = false, _ records: String) {
            self.name = name
            self.records = records
            self.isSigned = isSigned || isExpired
            self.isExpired = isExpired
        }

        func replacing(_ word: String, by number: Int) -> Zone {
            var zone = self
            zone.records.replace(word, with: "\(number)")
            return zone
        }

        fileprivate var text: String {
            """
            $ORIGIN \(self.name).
            $TTL 5
            @ SOA ns hostmaster 1 3600 600 86400 5
            @ NS ns
            ns A 127.0.0.1
            \(self.records)

            """
        }
    }

    let port = Port.next()
    /// The keys that signed zones are to be verified by, as a resolver reads them.
    var trustAnchors: String { self.scratch.path + "/anchors" }
    private let scratch: ScratchDirectory
    private var process: PeerProcess?

    static let isUnpacked = [Client.nsd, Client.ldns("ldns-signzone")].allSatisfy {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    init(_ zones: [Zone]) throws {
        self.scratch = try ScratchDirectory()
        try Data().write(to: URL(filePath: self.trustAnchors))
        let tables = try zones.map { zone in
            let file = try self.write(zone)
            return "zone:\n  name: \"\(zone.name)\"\n  zonefile: \"\(file)\"\n"
        }
        let path = self.scratch.path
        let text = """
            server:
              ip-address: 127.0.0.1@\(self.port)
              do-ip6: no
              username: ""
              chroot: ""
              database: ""
              server-count: 1
              zonesdir: "\(path)"
              pidfile: "\(path)/pid"
              xfrdfile: "\(path)/xfrd"
              xfrdir: "\(path)"
              zonelistfile: "\(path)/list"
              logfile: "\(path)/log"
            remote-control:
              control-enable: no
            \(tables.joined(separator: "\n"))
            """
        let configuration = try self.scratch.file("nsd.conf", holding: Data(text.utf8))
        self.process = try PeerProcess(
            [Client.nsd, "-d", "-c", configuration.path],
            in: self.scratch,
            port: self.port,
            greets: false
        )
    }

    /// Writes a zone, signed if it is to be; answers the file.
    private func write(_ zone: Zone) throws -> String {
        let file = try self.scratch.file(zone.name, holding: Data(zone.text.utf8))
        guard zone.isSigned else { return file.path }
        let folder = self.scratch.path
        let keys = try Command.succeed(
            "sh",
            [
                "-c", "cd \(folder) && \(Client.ldns("ldns-keygen")) -a ECDSAP256SHA256 -k $0",
                zone.name,
            ],
            environment: Client.peerEnvironment
        )
        let key = keys.text.trimmingCharacters(in: .whitespacesAndNewlines)
        let expiry = zone.isExpired ? ["-i", "20200101000000", "-e", "20200201000000"] : []
        try Command.succeed(
            Client.ldns("ldns-signzone"),
            ["-n"] + expiry + ["-f", file.path + ".signed", file.path, "\(folder)/\(key)"],
            environment: Client.peerEnvironment
        )
        let anchors = try #require(FileHandle(forWritingAtPath: self.trustAnchors))
        try anchors.seekToEnd()
        try anchors.write(contentsOf: Data(contentsOf: URL(filePath: "\(folder)/\(key).ds")))
        try anchors.close()
        return file.path + ".signed"
    }
}
