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

    @Flag(help: "Keep the password itself as well, which APOP needs: anybody who reads the store has it.")
    var apop = false

    /// What the store keeps for the password.
    func keys(for address: Address) throws -> (verifier: [UInt8], secret: [UInt8]?) {
        let password = try self.read(for: address)
        guard !password.isEmpty else { throw Complaint(.data, "the password is empty") }
        guard password.count <= 1024, !password.contains(0) else {
            throw Complaint(.data, "a password has at most 1024 octets, and no NUL")
        }
        return (PasswordRecord(derivingFrom: password).text, self.apop ? password : nil)
    }

    private func read(for address: Address) throws -> [UInt8] {
        if self.passwordStdin {
            guard let line = readLine(strippingNewline: true) else {
                throw Complaint(.data, "standard input holds no password")
            }
            return Array(line.utf8)
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
