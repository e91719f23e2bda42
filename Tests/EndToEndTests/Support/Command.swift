// SPDX-License-Identifier: Apache-2.0
//
// Other programs, run to their end: every run has a deadline, and its output is kept whole.

import Foundation
import Testing

/// What a program that has ended leaves behind.
struct CommandOutcome: CustomStringConvertible {
    let command: String
    let exitCode: Int32
    let output: Data
    let errors: Data

    var text: String { String(decoding: self.output, as: UTF8.self) }
    var errorText: String { String(decoding: self.errors, as: UTF8.self) }

    var description: String {
        "\(self.command): exit \(self.exitCode)\n"
            + "\(self.text.suffix(4000))\(self.errorText.suffix(4000))"
    }
}

/// A program that cannot be run, or does not end.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
}

enum Command {
    /// Runs a program found on the path, with `input` as its standard input.
    ///
    /// - Throws: ``CommandFailure`` when it is missing or still runs after `seconds`; it is killed.
    static func run(
        _ name: String,
        _ arguments: [String],
        input: Data = Data(),
        environment: [String: String] = [:],
        seconds: Double = 60
    ) throws -> CommandOutcome {
        guard let path = self.path(of: name) else {
            throw CommandFailure(description: "\(name) is not installed")
        }
        let scratch = try ScratchDirectory()
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = try scratch.file("input", holding: input).readingHandle()
        let output = try scratch.file("output")
        let errors = try scratch.file("errors")
        process.standardOutput = try output.writingHandle()
        process.standardError = try errors.writingHandle()
        try process.run()
        guard process.ended(within: seconds) else {
            process.killAtOnce()
            throw CommandFailure(
                description: "\(name) \(arguments) did not end within \(seconds) s: "
                    + String(decoding: try errors.read().suffix(2000), as: UTF8.self)
            )
        }
        return CommandOutcome(
            command: ([name] + arguments).joined(separator: " "),
            exitCode: process.terminationStatus,
            output: try output.read(),
            errors: try errors.read()
        )
    }

    /// Runs a program that must succeed.
    @discardableResult
    static func succeed(
        _ name: String,
        _ arguments: [String],
        input: Data = Data(),
        environment: [String: String] = [:],
        seconds: Double = 60,
        at location: SourceLocation = #_sourceLocation
    ) throws -> CommandOutcome {
        let outcome = try self.run(
            name,
            arguments,
            input: input,
            environment: environment,
            seconds: seconds
        )
        #expect(outcome.exitCode == 0, "\(outcome)", sourceLocation: location)
        return outcome
    }

    private static func path(of name: String) -> String? {
        if name.contains("/") {
            return FileManager.default.isExecutableFile(atPath: name) ? name : nil
        }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return (path + ":/usr/sbin:/sbin").split(separator: ":").map { "\($0)/\(name)" }
            .first(where: FileManager.default.isExecutableFile(atPath:))
    }
}

extension Process {
    /// Waits for the end of the process, but not for ever.
    func ended(within seconds: Double) -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while self.isRunning {
            guard Date() < deadline else { return false }
            Thread.sleep(forTimeInterval: 0.005)
        }
        return true
    }

    /// Ends the process as a power cut would, and waits for its end.
    func killAtOnce() {
        if self.isRunning { kill(self.processIdentifier, SIGKILL) }
        _ = self.ended(within: 10)
    }
}
