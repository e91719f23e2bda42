// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Configuration
internal import MailStore
internal import Server

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the server in the foreground.",
        discussion: """
            Logs go to standard output. SIGTERM and SIGINT end it: sessions between commands are \
            told so at once, messages on their way in have limits.shutdown-grace-seconds; a second \
            signal ends it at once. SIGHUP reads certificates and keys again. SIGUSR1 logs what \
            the loop has been doing.
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
                case .store(let why, let directory): throw Complaint(why, directory: directory)
                case .listener(let why, let isPermission):
                    throw Complaint(isPermission ? .noPermission : .unavailable, why)
                case .configuration(let lines):
                    throw Complaint(
                        exitCode: .configuration,
                        lines: lines.map { "\(configuration.path): \($0)" }
                    )
                case .privilege(let why): throw Complaint(.noPermission, why)
                case .loop(let why): throw Complaint(.software, why)
                }
            }
        }
    }
}
