// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Configuration
internal import Server

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the server in the foreground.",
        discussion: """
            Logs go to standard output. SIGTERM and SIGINT end it: sessions between commands are \
            told so at once, messages on their way in have limits.shutdown-grace-seconds. SIGUSR1 \
            logs what the loop has been doing.
            """
    )

    @OptionGroup var configuration: ConfigurationOption

    func run() throws {
        try Complaint.handling {
            let configuration = try self.configuration.load()
            do throws(ServeProcess.Failure) {
                try ServeProcess.run(configuration)
            } catch {
                switch error {
                case .store(let why): throw Complaint(.cannotCreate, why)
                case .listener(let why): throw Complaint(.unavailable, why)
                case .loop(let why): throw Complaint(.software, why)
                }
            }
        }
    }
}
