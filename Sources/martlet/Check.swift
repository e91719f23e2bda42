// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Configuration

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read the configuration and say what is wrong with it.",
        discussion: "Every error is given as file:line: key: why. Exit code 78 when there is one."
    )

    @OptionGroup var configuration: ConfigurationOption

    func run() throws {
        try Complaint.handling {
            let configuration = try self.configuration.load()
            print("\(configuration.path): no errors")
        }
    }
}
