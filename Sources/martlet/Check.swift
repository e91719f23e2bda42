// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Configuration
internal import EventLoop
internal import Server

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read the configuration and say what is wrong with it.",
        discussion: """
            Every error is given as file:line: key: why. Certificates, keys and the passwords of \
            relays are read as the user whom the server would be; those that cannot be used are \
            errors, those that have expired or soon will, or that are for other names, are \
            warnings. Exit code 78 when there is an error.
            """
    )

    @OptionGroup var configuration: ConfigurationOption

    func run() throws {
        try Complaint.handling {
            let configuration = try self.configuration.load()
            do throws(LeastPrivilege.Failure) {
                try LeastPrivilege.lookAsUser(of: configuration)
            } catch {
                throw Complaint(error)
            }
            let review = CertificateReview(configuration, now: WallClock.seconds)
            for warning in review.warnings {
                Terminal.writeError("martlet: \(configuration.path): warning: \(warning)\n")
            }
            let errors = review.errors + configuration.relayPasswords().errors
            guard errors.isEmpty else {
                let lines = errors.map { "\(configuration.path): \($0)" }
                throw Complaint(exitCode: .configuration, lines: lines)
            }
            print("\(configuration.path): no errors")
        }
    }
}
