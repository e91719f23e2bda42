// SPDX-License-Identifier: Apache-2.0
//
// The command line, thin: it reads arguments, calls the module that does the work, and turns what
// went wrong into a sentence and an exit code of sysexits(3).

internal import ArgumentParser

@main
struct Martlet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "An event-loop mail server: SMTP and LMTP in, POP3 out.",
        version: "0.1.0",
        subcommands: [
            Serve.self, Check.self, User.self, Alias.self, Queue.self, MX.self, Restored.self,
        ]
    )
}
