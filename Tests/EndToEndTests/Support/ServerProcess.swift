// SPDX-License-Identifier: Apache-2.0
//
// `martlet serve` with a data directory, a configuration and ports of its own.

import Foundation
import Synchronization
import Testing

/// A server under test; it dies with its owner.
final class ServerProcess {
    /// Holds the configuration, the data directory and the log.
    let scratch: ScratchDirectory
    let configurationPath: String
    let dataDirectory: String
    private(set) var smtpPort = 0
    private(set) var lmtpPort = 0
    private(set) var pop3Port = 0
    private var process = Process()
    private let launcher: [String]
    private let settings: Settings

    /// What differs from the configuration that tests share.
    struct Settings {
        /// Lines for the top of the file.
        var top = ""
        /// Lines for the [limits] table.
        var limits = ""
        /// Whole tables for the end of the file.
        var tables = ""
        /// Where the data is; in the scratch directory unless given.
        var dataDirectory: String?
        /// A shell command that runs `"$@"`, such as one that lowers a limit first.
        var launcher: String?
        /// Standard output instead of the log file.
        var standardOutput: FileHandle?
        /// The accounts, each with the password `secret`.
        var accounts = ["anna@example.test"]
    }

    static let password = "secret"

    /// Makes accounts and starts the server; returns when it greets.
    init(_ settings: Settings = Settings()) throws {
        self.settings = settings
        self.scratch = try ScratchDirectory()
        self.configurationPath = self.scratch.path + "/martlet.toml"
        self.dataDirectory = settings.dataDirectory ?? self.scratch.path + "/data"
        self.launcher = settings.launcher.map { ["-c", $0, "sh"] } ?? []
        try self.configure()
        if !settings.accounts.isEmpty { try self.importAccounts(settings.accounts) }
        try self.start()
    }

    deinit { self.process.killAtOnce() }

    // MARK: - The process

    var processIdentifier: Int32 { self.process.processIdentifier }
    var isRunning: Bool { self.process.isRunning }
    var logPath: String { self.scratch.path + "/log" }
    var log: String { (try? String(contentsOfFile: self.logPath, encoding: .utf8)) ?? "" }

    /// The binary under test: MARTLET_BINARY, else the one that was built with the tests.
    static let binary: String = {
        let built = Bundle.main.bundleURL.appending(path: "martlet").path
        let named = ProcessInfo.processInfo.environment["MARTLET_BINARY"]
        return named ?? built
    }()

    /// Whether the log tells something, which it does a little after it has happened.
    func tells(_ text: String) -> Bool {
        let deadline = Date(timeIntervalSinceNow: 10)
        while !self.log.contains(text) {
            guard Date() < deadline else { return false }
            Thread.sleep(forTimeInterval: 0.01)
        }
        return true
    }

    /// Starts the server on the data it has and waits until it greets on each port.
    func start() throws {
        if !FileManager.default.fileExists(atPath: self.logPath) {
            try Data().write(to: URL(filePath: self.logPath))
        }
        let log = try #require(FileHandle(forUpdatingAtPath: self.logPath))
        try log.seekToEnd()
        self.process = Process()
        let arguments = ["serve", "--config", self.configurationPath]
        if self.launcher.isEmpty {
            self.process.executableURL = URL(filePath: Self.binary)
            self.process.arguments = arguments
        } else {
            self.process.executableURL = URL(filePath: "/bin/sh")
            self.process.arguments = self.launcher + [Self.binary] + arguments
        }
        self.process.standardInput = FileHandle.nullDevice
        self.process.standardOutput = self.settings.standardOutput ?? log
        self.process.standardError = log
        try self.process.run()
        for port in [self.smtpPort, self.lmtpPort, self.pop3Port] {
            try self.waitForGreeting(on: port)
        }
    }

    private func waitForGreeting(on port: Int) throws {
        let deadline = Date(timeIntervalSinceNow: 20)
        while Date() < deadline, self.process.isRunning {
            if let connection = try? Connection(port: port), try connection.line() != nil { return }
            Thread.sleep(forTimeInterval: 0.01)
        }
        throw ConnectionFailure(
            description: "the server does not greet on port \(port): \(self.log)"
        )
    }

    /// Sends a signal.
    func signal(_ number: Int32) { kill(self.process.processIdentifier, number) }

    /// Asks for a clean end; answers the exit code, or nil when the server goes on for `seconds`.
    func terminate(within seconds: Double = 20) -> Int32? {
        self.signal(SIGTERM)
        return self.process.ended(within: seconds) ? self.process.terminationStatus : nil
    }

    /// Ends the process as a crash would.
    func killAtOnce() { self.process.killAtOnce() }

    /// Resident memory that is not backed by files, in octets.
    func anonymousMemory() throws -> Int {
        try #require(Self.anonymousMemory(status: "/proc/\(self.processIdentifier)/status"))
    }

    /// The same, read from the file `status` of /proc; nil when the process is gone.
    static func anonymousMemory(status path: String) -> Int? {
        let status = try? String(contentsOfFile: path, encoding: .utf8)
        let line = status?.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
        let fields = line?.split(whereSeparator: \.isWhitespace)
        return fields.flatMap { Int($0[1]) }.map { $0 * 1024 }
    }

    /// The processor time that the server has used, in hundredths of a second.
    func processorTicks() throws -> Int {
        let path = "/proc/\(self.processIdentifier)/stat"
        let status = try String(contentsOfFile: path, encoding: .utf8)
        // utime and stime are fields 14 and 15; field 2 is a name in parentheses.
        let fields = status.split(separator: ")").last?.split(separator: " ") ?? []
        try #require(fields.count > 13)
        return try #require(Int(fields[11])) + #require(Int(fields[12]))
    }

    // MARK: - Its configuration

    private func configure() throws {
        (self.smtpPort, self.lmtpPort, self.pop3Port) = (Port.next(), Port.next(), Port.next())
        let listeners = [("smtp", self.smtpPort), ("lmtp", self.lmtpPort), ("pop3", self.pop3Port)]
            .map { service, port in
                """
                [[listener]]
                service = "\(service)"
                address = "127.0.0.1:\(port)"
                \(service == "pop3" ? "plaintext-auth = true" : "")
                """
            }
        let text = """
            hostname = "mail.example.test"
            data-directory = "\(self.dataDirectory)"
            local-domains = ["example.test", "other.test"]
            \(self.settings.top)

            \(listeners.joined(separator: "\n\n"))

            [limits]
            \(self.settings.limits.contains("client-minute") ? "" : Self.fromOneClient)
            \(self.settings.limits)

            \(self.settings.tables)
            """
        try text.write(toFile: self.configurationPath, atomically: true, encoding: .utf8)
    }

    /// Tests are one client, and more than any other client would be.
    private static let fromOneClient = "connections-per-client-minute = 1000000"

    /// Runs `martlet` on this configuration.
    @discardableResult
    func martlet(_ arguments: String..., input: String = "") throws -> CommandOutcome {
        try Command.run(
            Self.binary,
            arguments + ["--config", self.configurationPath],
            input: Data(input.utf8)
        )
    }

    private func importAccounts(_ accounts: [String]) throws {
        let lines = accounts.map { "\($0)\t\(Self.password)\n" }.joined()
        let outcome = try self.martlet("user", "import", "-", input: lines)
        try #require(outcome.exitCode == 0, "\(outcome)")
    }

    // MARK: - Conversations

    /// A connection on which EHLO has been answered.
    func smtp(patience: Int = 20) throws -> Connection {
        try Connection.greeted(smtp: self.smtpPort, patience: patience)
    }

    /// A connection on which LHLO has been answered.
    func lmtp() throws -> Connection {
        try Connection.greeted(smtp: self.lmtpPort, verb: "LHLO")
    }

    /// A connection that is logged in.
    func pop3(
        _ user: String = "anna@example.test",
        _ password: String = ServerProcess.password,
        patience: Int = 20,
        at location: SourceLocation = #_sourceLocation
    ) throws -> Connection {
        try Connection.loggedIn(
            pop3: self.pop3Port,
            user,
            password,
            patience: patience,
            at: location
        )
    }

    /// All that a maildrop holds; the session ends with QUIT.
    func maildrop(
        of user: String = "anna@example.test",
        at location: SourceLocation = #_sourceLocation
    ) throws -> [FetchedMessage] {
        let connection = try self.pop3(user, at: location)
        let messages = try connection.fetchAll(at: location)
        try connection.ask("QUIT", at: location)
        return messages
    }
}

/// Ports below those that the system gives to clients; each is handed out once.
enum Port {
    private static let first = Int.random(in: 12_000..<30_000)
    private static let count = Mutex(0)

    static func next() -> Int {
        while true {
            let port =
                self.first
                + self.count.withLock { count in
                    count += 1
                    return count
                }
            if (try? Connection(port: port)) == nil { return port }
        }
    }
}
