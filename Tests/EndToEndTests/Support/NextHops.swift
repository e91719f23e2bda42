// SPDX-License-Identifier: Apache-2.0
//
// Hosts that mail is delivered to, whose every answer a test can choose: Clients/sink.py.

import Foundation
import Testing

/// Sinks on one port of several addresses; they end with their owner.
final class NextHops {
    let port = Port.next()
    private let scratch: ScratchDirectory
    private let process = Process()
    private let input = Pipe()

    /// One message that a sink has taken.
    struct Taken: Decodable {
        let address: String
        let from: String
        let parameters: [String]
        let to: [String]
        let toParameters: [[String]]
        let tls: String?
        /// Each octet as one character.
        let content: String

        enum CodingKeys: String, CodingKey {
            case address, from, parameters, to, tls, content
            case toParameters = "to-parameters"
        }
    }

    /// One thing that happened.
    struct Event: Decodable {
        let at: Double
        let address: String
        let event: String
        let line: String?
    }

    /// Sinks that accept everything, until a script says otherwise.
    init(_ addresses: [String] = ["127.0.0.2", "127.0.0.3", "127.0.0.4"]) throws {
        self.scratch = try ScratchDirectory()
        let output = Pipe()
        self.process.executableURL = URL(filePath: "/usr/bin/env")
        self.process.arguments =
            ["python3", Client.path("sink.py"), self.scratch.path, "\(self.port)"] + addresses
        self.process.standardInput = self.input
        self.process.standardOutput = output
        try self.process.run()
        let ready = try output.fileHandleForReading.read(upToCount: 6)
        try #require(ready == Data("ready\n".utf8))
    }

    deinit { self.process.killAtOnce() }

    /// Says how a sink behaves from its next connection on.
    func script(_ address: String, _ script: [String: Any]) throws {
        let octets = try JSONSerialization.data(withJSONObject: script)
        try octets.write(
            to: URL(filePath: "\(self.scratch.path)/\(address).json"),
            options: .atomic
        )
    }

    var taken: [Taken] { self.lines("messages") }

    var events: [Event] { self.lines("events") }

    /// The addresses in the order in which they were connected to.
    var tries: [String] { self.events.filter { $0.event == "connected" }.map(\.address) }

    private func lines<Value: Decodable>(_ name: String) -> [Value] {
        let path = "\(self.scratch.path)/\(name)"
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        // The last line may still be in the making.
        return text.split(separator: "\n").compactMap {
            try? JSONDecoder().decode(Value.self, from: Data($0.utf8))
        }
    }

    /// Waits until so many messages have been taken; answers all of them.
    func taken(_ count: Int, within seconds: Double = 20) -> [Taken] {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while self.taken.count < count, Date() < deadline { Thread.sleep(forTimeInterval: 0.01) }
        return self.taken
    }
}
