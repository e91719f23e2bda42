// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import MailSyntax
internal import Server

struct Alias: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Add, list and remove aliases.",
        subcommands: [Add.self, List.self, Remove.self]
    )

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let mail for an address go to others.",
            discussion: "The targets replace nothing: an alias that exists must be removed first."
        )

        @Argument(help: "The alias, such as sales@example.test.") var address: String
        @Argument(help: "Where its mail goes: addresses of any domain.") var targets: [String]
        @OptionGroup var configuration: ConfigurationOption

        func run() throws {
            try Administration.run(self.configuration) { _ in
                .addAlias(
                    try Administration.address(self.address),
                    try self.targets.map(Administration.address)
                )
            }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove an alias.")

        @Argument(help: "The alias.") var address: String
        @OptionGroup var configuration: ConfigurationOption

        func run() throws {
            try Administration.run(self.configuration) { _ in
                .removeAlias(try Administration.address(self.address))
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List aliases.")

        @Flag(help: "One JSON object a line.") var json = false
        @OptionGroup var configuration: ConfigurationOption

        func run() throws {
            try Administration.list(self.configuration, .aliases) { fields in
                if self.json {
                    let targets = fields.dropFirst().map(JSONText.string).joined(separator: ",")
                    print("{\"address\":\(JSONText.string(fields[0])),\"targets\":[\(targets)]}")
                } else {
                    print("\(fields[0])\t\(fields.dropFirst().joined(separator: " "))")
                }
            }
        }
    }
}
