// SPDX-License-Identifier: Apache-2.0
//
// Configurations for tests: a right one to which a test adds what it is about.

import MailBytes

@testable import Configuration

enum Sample {
    /// The top of a right file: three lines.
    static let top = """
        hostname = "mail.example.test"
        data-directory = "data"
        local-domains = ["example.test", "example.org"]

        """

    /// A listener: three lines after the top.
    static let listener = """
        [[listener]]
        service = "smtp"
        address = "127.0.0.1:2525"

        """

    static func parse(_ text: String) throws(ConfigurationErrors) -> Configuration {
        try Configuration.parse(Array(text.utf8), path: "etc/m.toml")
    }

    /// Every error of the text as `martlet check` prints it.
    static func errors(_ text: String) -> [String] {
        do throws(ConfigurationErrors) {
            _ = try self.parse(text)
            return []
        } catch {
            return error.errors.map(\.description)
        }
    }

    /// The errors of a right file with these lines after its top, from line 4 on.
    static func errors(top lines: String) -> [String] {
        self.errors(self.top + lines + "\n" + self.listener)
    }

    /// The errors of a right file with these lines at its end, from line 7 on.
    static func errors(end lines: String) -> [String] {
        self.errors(self.top + self.listener + lines + "\n")
    }
}
