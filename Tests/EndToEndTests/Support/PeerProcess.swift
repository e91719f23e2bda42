// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A server of others' with all its children, which end when its owner goes.
final class PeerProcess {
    let scratch: ScratchDirectory
    private let process = Process()
    private var pidPath: String { self.scratch.path + "/leader" }

    /// Starts a program that must greet, or at least accept, on a port of 127.0.0.1.
    init(
        _ command: [String],
        in scratch: ScratchDirectory,
        port: Int,
        greets: Bool = true
    ) throws {
        self.scratch = scratch
        let output = try self.scratch.file("output")
        self.process.executableURL = URL(filePath: "/usr/bin/setsid")
        // Whether or not it forks, the shell is the leader of a session, and then the program.
        self.process.arguments =
            ["--wait", "sh", "-c", "echo $$ > \"$0\"; exec \"$@\"", self.pidPath] + command
        self.process.environment = ProcessInfo.processInfo.environment
            .merging(Client.peerEnvironment) { $1 }
        self.process.standardInput = FileHandle.nullDevice
        self.process.standardOutput = try output.writingHandle()
        self.process.standardError = try output.writingHandle()
        try self.process.run()
        let deadline = Date(timeIntervalSinceNow: 20)
        while Date() < deadline, self.process.isRunning {
            if let connection = try? Connection(port: port) {
                if !greets { return }
                if (try? connection.line()) != nil { return }
            }
            Thread.sleep(forTimeInterval: 0.02)
        }
        let said = String(decoding: try output.read(), as: UTF8.self)
        throw ConnectionFailure(description: "\(command[0]) does not answer: \(said)\(self.log)")
    }

    deinit {
        let text = try? String(contentsOfFile: self.pidPath, encoding: .utf8)
        if let leader = text.flatMap({ Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) })
        {
            kill(-leader, SIGKILL)
        }
        self.process.killAtOnce()
    }

    var log: String {
        (try? String(contentsOfFile: self.scratch.path + "/log", encoding: .utf8)) ?? ""
    }

    /// The messages in a maildir below its directory, once there are so many.
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
}
