// SPDX-License-Identifier: Apache-2.0
//
// Headers of submitted messages, made of what the grammar allows and of what it does not, cut
// anywhere: what is told of them is what was put into them, whatever the cuts.

import MailBytes
import SMTPProtocol
import Testing

@Suite struct SubmissionTests {
    private static let cuts = [[1], [2], [3, 1], [7], [100_000]]

    @Test(arguments: 0..<400 as Range<UInt64>)
    func authorsAreThoseOfTheFromFields(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var authors: [String] = []
        var header = ""
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            if Bool.random(using: &random) {
                let list = AddressListSample(&random)
                header += ["From:", "FROM: ", "from \t:", "fRoM:\r\n "].sample(&random)
                header += list.text + "\r\n"
                authors += list.authors
            } else {
                header += self.otherField(&random)
            }
        }
        let body = ["", "\r\nFrom: x@y\r\n", "\r\n"].sample(&random)
        let segments = (0..<5).map { _ in Int.random(in: 1...30, using: &random) }
        let chunks = (0..<5).map { _ in Int.random(in: 1...30, using: &random) }
        for cut in Self.cuts + [segments] {
            for chunks in [[], [100_000], chunks] {
                let outcome = SubmissionOutcome(header + body, chunks: chunks, segments: cut)
                if authors.isEmpty {
                    #expect(outcome.authors == nil, "\(header)")
                    #expect(outcome.reply == "550 5.7.1 From names no author", "\(header)")
                } else {
                    #expect(
                        outcome.authors == authors,
                        "seed \(seed), \(cut), \(chunks): \(header)"
                    )
                    #expect(outcome.content?.hasPrefix(header) == true)
                    #expect(outcome.content?.hasSuffix(body) == true)
                }
            }
        }
    }

    private func otherField(_ random: inout SeededGenerator) -> String {
        [
            "Subject: From: a@b\r\n", "X:\r\n", "Subject: x\r\n\tFrom: c@d\r\n", "From-: a@b\r\n",
            "XFrom: a@b\r\n", "Fro: m\r\n", "Received: (from a@b)\r\n \r\n by c\r\n",
            "Sender: \"\r\n", "Resent-From: <\r\n", "\(String(repeating: "n", count: 200)): x\r\n",
        ].sample(&random)
    }

    /// Where the header ends and what is added there, worked out line by line.
    @Test(arguments: 0..<600 as Range<UInt64>)
    func fieldsAreAddedWhereTheHeaderEnds(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let lines = [
            "", "", "Subject: x", "Date: x", "date:x", "Message-ID: <x@y>", " folded", "\tFrom: a",
            "no field", "From here on", ":", ": x", "a b: c", "Subject", "é: x", ".", "..",
            ".a: b",
            "Message-Id\t : x", String(repeating: "x", count: 300),
            "X: \(UInt64.random(in: 0...9))",
        ]
        var message = "From: a@b\r\nX: y\r\n"
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            message += lines.sample(&random) + "\r\n"
        }
        let expected = self.completed(message)
        let segments = (0..<5).map { _ in Int.random(in: 1...30, using: &random) }
        for cut in Self.cuts + [segments] {
            for chunks in [[], [100_000]] {
                let outcome = SubmissionOutcome(message, chunks: chunks, segments: cut)
                #expect(outcome.content == expected, "seed \(seed), \(cut), \(chunks)")
                #expect(outcome.authors == ["a@b"])
            }
        }
    }

    private func completed(_ message: String) -> String {
        var lines = message.split(separator: "\r\n", omittingEmptySubsequences: false)[...]
        var header: [Substring] = []
        var names: Set<String> = []
        while let line = lines.first,
            let match = line.wholeMatch(of: #/([!-9;-~]+)[ \t]*:.*|[ \t].*/#)
        {
            if let name = match.1 {
                guard name.utf8.count <= 200 else { break }
                names.insert(name.lowercased())
            }
            header.append(line)
            lines = lines.dropFirst()
        }
        var text = header.map { $0 + "\r\n" }.joined()
        let added = SubmissionOutcome.added.split(separator: "\r\n").map(String.init)
        if !names.contains("date") { text += added[0] + "\r\n" }
        if !names.contains("message-id") { text += added[1] + "\r\n" }
        // The last of the lines is what follows the last line end: nothing.
        if lines.count > 1, lines.first?.isEmpty == false { text += "\r\n" }
        return text + lines.joined(separator: "\r\n")
    }

    /// Whatever stands in From, the cuts change nothing, and no author is made of two lines.
    @Test(arguments: 0..<1000 as Range<UInt64>)
    func anythingInFrom(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let pieces = [
            "a", "b.c", "@", "<", ">", ",", ";", ":", "(", ")", "\"", "\\", "[", "]", " ", "\t",
            "\r\n ", ".", "é", "\u{1}", "\0", "x@y", "<x@y>", "From: ", "\r\nFrom: ",
        ]
        var value = ""
        for _ in 0..<Int.random(in: 0...14, using: &random) {
            value += pieces.sample(&random)
        }
        let message = "From: \(value)\r\n\r\nbody\r\n"
        let whole = SubmissionOutcome(message, chunks: [], segments: [100_000])
        #expect(whole.content == nil || whole.authors?.allSatisfy { $0.contains("@") } == true)
        let segments = (0..<5).map { _ in Int.random(in: 1...9, using: &random) }
        for cut in Self.cuts + [segments] {
            let outcome = SubmissionOutcome(message, chunks: [], segments: cut)
            #expect(outcome == whole, "seed \(seed), \(cut): \(value)")
        }
    }

    /// What a header can be made of without end, and how many octets of it are kept.
    @Test(arguments: [
        "From: ", "From: (", "From: \"", "From: <@a,", "From: a@b,", "From: a@b\r\nFrom: ", "X: ",
        "From: a ", "From: <a@[", "From: ((((((((",
    ])
    func endlessHeaders(start: String) {
        let unit = start.hasSuffix("a@b,") ? "a@b," : start.hasSuffix("\n") ? start : "abc (x) "
        let message = start + String(repeating: unit, count: 50_000) + "\r\n\r\nx\r\n"
        let outcome = SubmissionOutcome(message, chunks: [], segments: [65536])
        #expect(outcome.content == nil)
        #expect(outcome.authors == nil)
        #expect(outcome.reply.hasPrefix("550 5.7.1 From "))
    }

    @Test func authorsUpToTheLimit() {
        let list = (0..<300).map { "a\($0)@b.example" }
        let message = "From: \(list.joined(separator: ","))\r\n\r\n"
        let outcome = SubmissionOutcome(message, chunks: [], segments: [1000])
        #expect(outcome.authors == nil)
        #expect(outcome.reply == "550 5.7.1 From cannot be read")
        let few = "From: \(list.prefix(200).joined(separator: ","))\r\n\r\n"
        let taken = SubmissionOutcome(few, chunks: [], segments: [1000])
        #expect(taken.authors == Array(list.prefix(200)))
    }
}

extension [String] {
    fileprivate func sample(_ random: inout SeededGenerator) -> String {
        self[Int.random(in: self.indices, using: &random)]
    }
}
