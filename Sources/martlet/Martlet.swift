// SPDX-License-Identifier: Apache-2.0
//
// The command line, thin: it reads arguments, calls the module that does the work, and turns what
// went wrong into a sentence and an exit code of sysexits(3).

internal import ArgumentParser
internal import EventLoop

@main
struct Martlet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "An event-loop mail server: SMTP and LMTP in, POP3 out.",
        version: "0.1.0",
        subcommands: [
            Serve.self, Check.self, User.self, Alias.self, Queue.self, MX.self, Restored.self,
            Send.self,
        ]
    )

    /// Called by sendmail's name, the program takes sendmail's arguments.
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard SendmailArguments.areMeant(by: CommandLine.arguments.first ?? "") else {
            return self.main(SendmailArguments.loosened(arguments))
        }
        guard let translated = SendmailArguments(arguments).translated else {
            Terminal.writeError("martlet: of sendmail's modes, only sending (-bm) is there\n")
            self.exit(withError: ExitCode(SysExit.usage.rawValue))
        }
        self.main(translated)
    }
}
