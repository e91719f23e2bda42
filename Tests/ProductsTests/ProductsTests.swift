// SPDX-License-Identifier: Apache-2.0
//
// Whoever depends on this package gets by with what is public: the package in Tests/Products is
// built against the library products, and run.

import Foundation
import Testing

@Suite struct ProductsTests {
    @Test(.timeLimit(.minutes(10)))
    func anotherPackageCanUseTheProducts() throws {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        // A folder of its own, because the test run holds the lock of the usual one; it is kept, so
        // that the second time takes a second.
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "swift", "run", "-q", "--package-path",
            root.appendingPathComponent("Tests/Products").path,
            "--scratch-path", root.appendingPathComponent(".build-products").path,
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.standardError
        try process.run()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let lines = String(decoding: said, as: UTF8.self).components(separatedBy: "\r\n")
        #expect(lines.first?.hasPrefix("220 ") == true)
        #expect(lines.filter { $0.hasPrefix("550 ") }.count == 1)
        #expect(lines.contains("RCPT TO:<c@example>") && lines.contains("delivered"))
        // The message comes out as it went in, with its trace.
        let message = [
            "Received: from client.example ([127.0.0.1])",
            "\tby mail.example with ESMTP id 0000000000001",
            "\tfor <Postmaster@mail.example>;",
            "\tThu, 1 Jan 1970 00:00:00 +0000",
            "Subject: hello", "", "..stuffed", ".",
        ]
        let octets = message.dropLast().joined(separator: "\r\n").utf8.count + 2 - 1
        let start = try #require(lines.firstIndex(of: "+OK \(octets) octets"))
        #expect(Array(lines[(start + 1)...].prefix(message.count)) == message)
        #expect(lines.suffix(2) == ["+OK POP3 server signing off", ""])
    }
}
