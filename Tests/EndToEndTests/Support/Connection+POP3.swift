// SPDX-License-Identifier: Apache-2.0

import Testing

/// One message of a maildrop, as a POP3 client saw it.
struct FetchedMessage {
    let number: Int
    let uniqueID: String
    /// What LIST said.
    let listedOctets: Int
    /// What RETR sent, Return-Path and Received included.
    let content: Message
}

extension Connection {
    /// A connection that is logged in.
    static func loggedIn(
        pop3 port: Int,
        _ user: String,
        _ password: String,
        patience: Int = 20,
        at location: SourceLocation = #_sourceLocation
    ) throws -> Connection {
        let connection = try Connection(port: port, patience: patience)
        try connection.expectOK(at: location)
        try connection.ask("USER \(user)", at: location)
        try connection.ask("PASS \(password)", at: location)
        return connection
    }

    /// Reads a single-line response, which must be positive; answers what follows `+OK`.
    @discardableResult
    func expectOK(at location: SourceLocation = #_sourceLocation) throws -> String {
        let line = try self.response()
        try #require(line.hasPrefix("+OK"), "\(line)", sourceLocation: location)
        return String(line.dropFirst(4))
    }

    /// Sends a command, which must be answered positively; answers what follows `+OK`.
    @discardableResult
    func ask(_ command: String, at location: SourceLocation = #_sourceLocation) throws -> String {
        try self.send(command + "\r\n")
        return try self.expectOK(at: location)
    }

    /// Sends a command, which must be refused; answers what follows `-ERR`.
    @discardableResult
    func askInVain(_ command: String, at location: SourceLocation = #_sourceLocation) throws
        -> String
    {
        try self.send(command + "\r\n")
        let line = try self.response()
        try #require(line.hasPrefix("-ERR"), "\(line)", sourceLocation: location)
        return String(line.dropFirst(5))
    }

    private func response() throws -> String {
        guard let line = try self.line() else {
            throw ConnectionFailure(description: "the stream ended before a response")
        }
        return line
    }

    /// Sends a command with a multi-line response and answers its lines.
    func askLines(_ command: String, at location: SourceLocation = #_sourceLocation) throws
        -> [String]
    {
        try self.ask(command, at: location)
        return try self.multiLine().split(separator: [0x0d, 0x0a]).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// The octets of a multi-line response after its first line, without byte-stuffing.
    func multiLine() throws -> [UInt8] {
        var octets: [UInt8] = []
        while true {
            guard let line = try self.lineOctets() else {
                throw ConnectionFailure(description: "the stream ended within a response")
            }
            if line.first == 0x2e {
                if line.count == 1 { return octets }
                octets += line.dropFirst()
            } else {
                octets += line
            }
            octets += [0x0d, 0x0a]
        }
    }

    /// STAT: the number of messages and their octets.
    func stat(at location: SourceLocation = #_sourceLocation) throws -> (count: Int, octets: Int) {
        let fields = try self.ask("STAT", at: location).split(separator: " ").compactMap { Int($0) }
        try #require(fields.count >= 2, sourceLocation: location)
        return (fields[0], fields[1])
    }

    /// Everything in the maildrop, in order.
    func fetchAll(at location: SourceLocation = #_sourceLocation) throws -> [FetchedMessage] {
        let listed = try self.askLines("LIST", at: location).map { $0.split(separator: " ") }
        let uniqueIDs = try self.askLines("UIDL", at: location).map { $0.split(separator: " ") }
        try #require(listed.count == uniqueIDs.count, sourceLocation: location)
        return try zip(listed, uniqueIDs).map { scan, unique in
            try #require(scan[0] == unique[0], sourceLocation: location)
            try self.ask("RETR \(scan[0])", at: location)
            return FetchedMessage(
                number: try #require(Int(scan[0])),
                uniqueID: String(unique[1]),
                listedOctets: try #require(Int(scan[1])),
                content: Message(octets: try self.multiLine())
            )
        }
    }
}
