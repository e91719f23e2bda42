// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Configuration
internal import Credentials
internal import MailSyntax
internal import Server

struct User: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Add, list, change and remove accounts.",
        discussion: "Works while the server runs, over its control socket, and while it does not.",
        subcommands: [Add.self, List.self, Passwd.self, Remove.self, Quota.self, Import.self]
    )

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add an account.")

        @Argument(help: "The mailbox, such as demo@example.test.") var address: String
        @OptionGroup var password: PasswordOption
        @Option(help: "The most octets the maildrop may hold.") var quota: Int?
        @Flag(help: "Succeed and change nothing when the account exists.") var ifMissing = false
        @OptionGroup var configuration: ConfigurationOption

        func validate() throws {
            guard self.quota.map({ $0 > 0 }) ?? true else {
                throw ValidationError("--quota takes a number of octets above 0")
            }
        }

        func run() throws {
            try Complaint.handling {
                let configuration = try self.configuration.load()
                let address = try Administration.address(self.address)
                let (verifier, secret) = try self.password.keys(for: address)
                let request = AdministrationRequest.addAccount(
                    address,
                    verifier: verifier,
                    secret: secret,
                    quota: self.quota
                )
                let failure = try Administration.perform([request], configuration).first?.failure
                if let failure, !(self.ifMissing && failure.hasPrefix("there is an account")) {
                    throw Administration.complaint(failure)
                }
            }
        }
    }

    struct Passwd: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a password.",
            discussion: "Without --apop a recoverable secret that the account held is removed."
        )

        @Argument(help: "The mailbox.") var address: String
        @OptionGroup var password: PasswordOption
        @OptionGroup var configuration: ConfigurationOption

        func run() throws {
            try Administration.run(self.configuration) { _ in
                let address = try Administration.address(self.address)
                let (verifier, secret) = try self.password.keys(for: address)
                return .setPassword(address, verifier: verifier, secret: secret)
            }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove an account and all mail in its maildrop."
        )

        @Argument(help: "The mailbox.") var address: String
        @OptionGroup var configuration: ConfigurationOption

        func run() throws {
            try Administration.run(self.configuration) { _ in
                .removeAccount(try Administration.address(self.address))
            }
        }
    }

    struct Quota: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Set or lift a quota.")

        @Argument(help: "The mailbox.") var address: String
        @Argument(help: "The most octets the maildrop may hold, or none.") var octets: String
        @OptionGroup var configuration: ConfigurationOption

        func run() throws {
            try Administration.run(self.configuration) { _ in
                let quota = self.octets == "none" ? nil : Int(self.octets)
                guard self.octets == "none" || quota.map({ $0 > 0 }) ?? false else {
                    throw Complaint(.usage, "\(self.octets) is neither a number of octets nor none")
                }
                return .setQuota(try Administration.address(self.address), quota)
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List accounts.")

        @Flag(help: "One JSON object a line.") var json = false
        @OptionGroup var configuration: ConfigurationOption

        func run() throws {
            try Administration.list(self.configuration, .accounts) { fields in
                guard fields.count >= 5 else { return }
                if self.json {
                    let quota = fields[1].isEmpty ? "null" : fields[1]
                    print(
                        "{\"address\":\(JSONText.string(fields[0])),\"quota\":\(quota),"
                            + "\"apop\":\(fields[2] == "apop"),\"messages\":\(fields[3]),"
                            + "\"octets\":\(fields[4])}"
                    )
                } else {
                    let quota = fields[1].isEmpty ? "" : " of \(fields[1])"
                    let apop = fields[2].isEmpty ? "" : "\tapop"
                    print("\(fields[0])\t\(fields[3]) messages\t\(fields[4])\(quota) octets\(apop)")
                }
            }
        }
    }

    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add many accounts from a file.",
            discussion: """
                Each line holds an address, a TAB, and a password or a crypt(3) hash (it begins \
                with a dollar sign, or with {CRYPT} or {SHA512-CRYPT} as Dovecot writes it; what \
                begins like a hash is never taken for a password). Accounts that exist are told of \
                and left as they are.
                """
        )

        @Argument(help: "The file, or - for standard input.") var file: String
        @OptionGroup var configuration: ConfigurationOption

        func run() throws {
            try Complaint.handling {
                let configuration = try self.configuration.load()
                var (lines, complaints) = try ImportFile.read(self.file)
                var requests: [AdministrationRequest] = []
                let verifiers = KeyDerivation.verifiers(of: lines)
                for (line, verifier) in zip(lines, verifiers) {
                    guard let verifier else {
                        let why = "neither a crypt(3) hash known here nor a usable password"
                        complaints.append(self.complaint(line, why))
                        continue
                    }
                    requests.append(
                        .addAccount(line.address, verifier: verifier, secret: nil, quota: nil)
                    )
                }
                lines = zip(lines, verifiers).compactMap { $1 == nil ? nil : $0 }
                let results = try Administration.perform(requests, configuration)
                let failures = zip(lines, results).compactMap { line, result in
                    result.failure.map { self.complaint(line, $0) }
                }
                print("\(results.count - failures.count) accounts added")
                complaints += failures
                guard complaints.isEmpty else {
                    throw Complaint(exitCode: .data, lines: complaints)
                }
            }
        }

        private func complaint(_ line: ImportFile.Line, _ why: String) -> String {
            "\(self.file):\(line.number): \(line.address.text): \(why)"
        }
    }
}
