// SPDX-License-Identifier: Apache-2.0
//
// Address lists as RFC 5322, section 3.4, allows them, with the obsolete syntax of section 4.4:
// written from the grammar, so that what stands in them is known before anybody reads it.

/// The value of a From field, and the addresses in it.
struct AddressListSample {
    private(set) var text = ""
    private(set) var authors: [String] = []

    init(_ random: inout SeededGenerator) {
        let count = Int.random(in: 0...4, using: &random)
        for index in 0..<count {
            if index > 0 { self.text += "," }
            switch Int.random(in: 0...9, using: &random) {
            case 0: self.addGroup(&random)
            case 1: self.addGap(&random)
            default: self.addMailbox(&random)
            }
        }
        self.addGap(&random)
    }

    private mutating func addGroup(_ random: inout SeededGenerator) {
        self.addPhrase(&random)
        self.text += ":"
        for index in 0..<Int.random(in: 0...3, using: &random) {
            if index > 0 { self.text += "," }
            self.addMailbox(&random)
        }
        self.addGap(&random)
        self.text += ";"
        self.addGap(&random)
    }

    private mutating func addMailbox(_ random: inout SeededGenerator) {
        guard Bool.random(using: &random) else { return self.addAddress(&random) }
        if Bool.random(using: &random) { self.addPhrase(&random) }
        self.addGap(&random)
        self.text += "<"
        if Int.random(in: 0...5, using: &random) == 0 {
            self.text += "@relay , @(x)other.example :"
        }
        self.addAddress(&random)
        self.text += ">"
        self.addGap(&random)
    }

    private mutating func addPhrase(_ random: inout SeededGenerator) {
        let words = [
            "John", "=?utf-8?q?J=C3=B6rg?=", "\"Doe, John\"", "\"a@b <c@d>\"", "J.", "von", "Jörg",
            "\"quote \\\" backslash \\\\\"", "\"\"", "O'Neill",
        ]
        self.addGap(&random)
        self.text += words[Int.random(in: 0..<words.count, using: &random)]
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            self.text += " "
            self.addGap(&random)
            self.text += words[Int.random(in: 0..<words.count, using: &random)]
        }
        self.addGap(&random)
    }

    private mutating func addAddress(_ random: inout SeededGenerator) {
        let localParts = [
            ["john"], ["a", "b"], ["\"a b\""], ["\"x\\\"y\"", "z"], ["jörg"], ["a+b"],
        ]
        let domains = [["example", "org"], ["[192.0.2.1]"], ["[IPv6:2001:db8::1]"], ["localhost"]]
        let localPart = localParts[Int.random(in: 0..<localParts.count, using: &random)]
        let domain = domains[Int.random(in: 0..<domains.count, using: &random)]
        self.addGap(&random)
        self.addParts(localPart, &random)
        self.text += "@"
        self.addGap(&random)
        self.addParts(domain, &random)
        self.authors.append(localPart.joined(separator: ".") + "@" + domain.joined(separator: "."))
    }

    private mutating func addParts(_ parts: [String], _ random: inout SeededGenerator) {
        for (index, part) in parts.enumerated() {
            if index > 0 {
                self.text += "."
                self.addGap(&random)
            }
            self.text += part
            self.addGap(&random)
        }
    }

    /// White space, folds and comments, mostly none.
    private mutating func addGap(_ random: inout SeededGenerator) {
        let gaps = [
            " ", "\t ", "\r\n ", "\r\n\t \r\n ", "(c)", "(a@b, \"<)",
            "(nested (twice (over)) \\) )",
            "()", "\r\n (folded\r\n comment)\r\n ",
        ]
        guard Int.random(in: 0...2, using: &random) == 0 else { return }
        self.text += gaps[Int.random(in: 0..<gaps.count, using: &random)]
    }
}
