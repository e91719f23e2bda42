// SPDX-License-Identifier: Apache-2.0

import Testing

/// A reply with all its lines.
struct SMTPReplyLines: CustomStringConvertible {
    let code: Int
    let lines: [String]

    var description: String { self.lines.joined(separator: "\n") }
}

extension Connection {
    /// A connection on which the greeting has been read and EHLO answered.
    static func greeted(smtp port: Int, patience: Int = 20, verb: String = "EHLO") throws
        -> Connection
    {
        let connection = try Connection(port: port, patience: patience)
        try connection.expect(220)
        try connection.exchange("\(verb) client.example.org", 250)
        return connection
    }

    /// Reads one reply.
    func reply() throws -> SMTPReplyLines {
        var lines: [String] = []
        while true {
            guard let line = try self.line() else {
                throw ConnectionFailure(description: "the stream ended after \(lines)")
            }
            lines.append(line)
            guard let code = Int(line.prefix(3)), line.count >= 4 else {
                throw ConnectionFailure(description: "not a reply: \(lines)")
            }
            if line.dropFirst(3).first == " " { return SMTPReplyLines(code: code, lines: lines) }
        }
    }

    /// Reads one reply, which must have this code.
    @discardableResult
    func expect(_ code: Int, at location: SourceLocation = #_sourceLocation) throws
        -> SMTPReplyLines
    {
        let reply = try self.reply()
        try #require(reply.code == code, "\(reply)", sourceLocation: location)
        return reply
    }

    /// Sends a command line and reads its reply, which must have this code.
    @discardableResult
    func exchange(
        _ command: String,
        _ code: Int,
        at location: SourceLocation = #_sourceLocation
    ) throws -> SMTPReplyLines {
        try self.send(command + "\r\n")
        return try self.expect(code, at: location)
    }

    /// Sends one message to its recipients; answers the reply after the final dot.
    @discardableResult
    func submit(
        _ message: Message,
        to recipients: String...,
        from reversePath: String = "writer@example.org",
        expecting code: Int = 250,
        at location: SourceLocation = #_sourceLocation
    ) throws -> SMTPReplyLines {
        try self.exchange("MAIL FROM:<\(reversePath)> BODY=8BITMIME", 250, at: location)
        for recipient in recipients {
            try self.exchange("RCPT TO:<\(recipient)>", 250, at: location)
        }
        try self.exchange("DATA", 354, at: location)
        try self.send(message.dotStuffed)
        return try self.expect(code, at: location)
    }
}
