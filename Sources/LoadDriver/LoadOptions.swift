// SPDX-License-Identifier: Apache-2.0
//
// The command line of the driver.

internal import EventLoop
internal import LoadTesting
internal import MailBytes

/// The options as given.
struct LoadOptions {
    struct Misuse: Error {
        let sentence: String
    }

    static let usage = """
        usage: LoadDriver smtp|stat|retr|live|hold [--smtp PORT] [--pop3 PORT] [option…]
        Drives a server on 127.0.0.1 and prints one line of JSON.
          smtp   sessions that send mail        stat   POP3: login, STAT, QUIT
          live   smtp and stat by halves        retr   POP3: login, STAT, LIST, UIDL, all RETR, QUIT
          quit   POP3: QUIT                     hold   connections that stay silent until SIGTERM
          --connections N  --sessions N  --seed N  --sources N  --users N  --password TEXT
          --octets N  --messages N (a session)  --seconds N (a session may take)
          --tls full|1.2|1.3 (full handshakes of TLS 1.3, or sessions resumed in that version)
          --pipelined  --together (all connections greeted before any goes on)  --recipients-in-turn
        """

    let command: String
    private var values: [String: String] = [:]
    private var flags: Set<String> = []

    private static let valued: Set<String> = [
        "--smtp", "--pop3", "--connections", "--sessions", "--seed", "--sources", "--users",
        "--password", "--octets", "--messages", "--seconds", "--tls",
    ]
    private static let flagged: Set<String> = ["--pipelined", "--together", "--recipients-in-turn"]

    init(_ arguments: [String]) throws(Misuse) {
        guard let command = arguments.first else { throw Misuse(sentence: "no command") }
        self.command = command
        var rest = arguments.dropFirst()
        while let name = rest.popFirst() {
            if Self.flagged.contains(name) {
                self.flags.insert(name)
            } else if Self.valued.contains(name), let value = rest.popFirst() {
                self.values[name] = value
            } else {
                throw Misuse(sentence: "\(name): unknown, or without a value")
            }
        }
    }

    func number(_ name: String, else preset: Int, in range: ClosedRange<Int>) throws(Misuse) -> Int
    {
        guard let text = self.values[name] else { return preset }
        guard let number = Int(text), range.contains(number) else {
            throw Misuse(sentence: "\(name) takes a number from \(range)")
        }
        return number
    }

    /// The server's address for a protocol.
    func address(_ name: String) throws(Misuse) -> NetworkAddress {
        guard self.values[name] != nil else { throw Misuse(sentence: "\(name) is missing") }
        let port = try self.number(name, else: 0, in: 1...65535)
        return NetworkAddress(ipv4: 0x7f00_0001, port: UInt16(port))
    }

    /// The addresses of all protocols that were given.
    func addresses() throws(Misuse) -> [NetworkAddress] {
        var addresses: [NetworkAddress] = []
        for name in ["--smtp", "--pop3"] where self.values[name] != nil {
            addresses.append(try self.address(name))
        }
        guard !addresses.isEmpty else { throw Misuse(sentence: "--smtp or --pop3 is missing") }
        return addresses
    }

    /// Implicit TLS of the kind asked for; nil for none.
    func tlsService() throws -> TLSService? {
        guard let kind = self.values["--tls"] else { return nil }
        var options = TLSClientOptions()
        switch kind {
        case "full": options.version = .tls13
        case "1.2": options.version = .tls12
        case "1.3": options.version = .tls13
        default: throw Misuse(sentence: "--tls is full, 1.2 or 1.3")
        }
        options.resumesSessions = kind != "full"
        return try TLSService(options)
    }

    func plan() throws(Misuse) -> LoadPlan {
        var plan = LoadPlan(targets: [])
        if self.command == "live" {
            plan.targets = [
                (.smtp, try self.address("--smtp")), (.stat, try self.address("--pop3")),
            ]
        } else if let scenario = LoadPlan.Scenario(rawValue: self.command) {
            let address = try self.address(scenario == .smtp ? "--smtp" : "--pop3")
            plan.targets = [(scenario, address)]
        } else {
            throw Misuse(sentence: "\(self.command) is no command")
        }
        plan.connections = try self.number("--connections", else: 20, in: 1...100_000)
        plan.sessions = try self.number("--sessions", else: 1000, in: 1...100_000_000)
        plan.messageOctets = try self.number("--octets", else: 10_240, in: 128...(1 << 26))
        plan.messagesPerSession = try self.number("--messages", else: 1, in: 1...100_000)
        plan.users = try self.number("--users", else: 1000, in: 1...10_000_000)
        plan.seed = UInt64(try self.number("--seed", else: 1, in: 0...(.max)))
        plan.sources = try self.number("--sources", else: 1, in: 1...250)
        plan.sessionSecondsMax = Double(try self.number("--seconds", else: 60, in: 1...3600))
        plan.password = self.values["--password"] ?? plan.password
        plan.isPipelined = self.flags.contains("--pipelined")
        plan.startsTogether = self.flags.contains("--together")
        plan.takesRecipientsInTurn = self.flags.contains("--recipients-in-turn")
        if plan.startsTogether { plan.sessions = plan.connections }
        return plan
    }
}
