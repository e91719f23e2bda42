// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Configuration
internal import Server

struct Restored: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make unique-ids new after the data directory was restored from a backup.",
        discussion: """
            To be run once, before the server is started again. Unique-ids and message ids that \
            were given after the backup was made must not be given a second time, or clients \
            would take new mail for mail that they have. They fetch what they left on the server \
            once more. What was in the queue when the backup was made is delivered once more, too: \
            `martlet queue hold --all` keeps it back.
            """
    )

    @OptionGroup var configuration: ConfigurationOption

    func run() throws {
        try Complaint.handling {
            let configuration = try self.configuration.load()
            do throws(Administrator.Failure) {
                try Administrator(configuration: configuration).startNewIncarnations()
            } catch {
                throw Complaint(error)
            }
        }
    }
}
