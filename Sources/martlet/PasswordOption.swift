// SPDX-License-Identifier: Apache-2.0
//
// Where a password comes from: a prompt, or standard input; never the command line, where other
// users of the machine could read it.

internal import ArgumentParser
internal import Credentials
internal import EventLoop
internal import MailSyntax

struct PasswordOption: ParsableArguments {
    @Flag(help: "Read the password from the first line of standard input.")
    var passwordStdin = false

    @Flag(
        help: "Keep the password itself as well, as APOP needs: whoever reads the store has it."
    )
    var apop = false

    /// What the store keeps for the password.
    func keys(for address: Address) throws -> (verifier: [UInt8], secret: [UInt8]?) {
        let password = try self.read(for: address)
        guard !password.isEmpty else { throw Complaint(.data, "the password is empty") }
        guard password.count <= 1024, !password.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
            throw Complaint(.data, "a password has at most 1024 octets and no control characters")
        }
        return (PasswordRecord(derivingFrom: password).text, self.apop ? password : nil)
    }

    private func read(for address: Address) throws -> [UInt8] {
        if self.passwordStdin {
            // As octets: text that is not UTF-8 must not be repaired into another password.
            guard let line = Terminal.readFile("-")?.prefix(while: { $0 != 0x0a }) else {
                throw Complaint(.data, "standard input cannot be read")
            }
            return Array(line.last == 0x0d ? line.dropLast() : line)
        }
        guard let first = Terminal.readSecret(prompt: "Password for \(address.text): "),
            let second = Terminal.readSecret(prompt: "Once more: ")
        else {
            throw Complaint(.usage, "no terminal to ask for the password; use --password-stdin")
        }
        guard first == second else { throw Complaint(.data, "the two passwords differ") }
        return first
    }
}
