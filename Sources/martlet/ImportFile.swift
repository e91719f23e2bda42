// SPDX-License-Identifier: Apache-2.0
//
// The file of `martlet user import`: a line for each account, with its address, a TAB, and a
// password or a crypt(3) hash.

internal import Credentials
internal import EventLoop
internal import MailSyntax

enum ImportFile {
    /// One account.
    struct Line: Sendable {
        let number: Int
        let address: Address
        let secret: [UInt8]

        /// What the store keeps: the hash as it is, or keys derived from the password.
        ///
        /// Nil when it is neither a hash that this system's crypt(3) knows nor a password that an
        /// account can have. What begins like a hash is never taken for a password: the words of a
        /// scheme that is not known here ({SSHA256}…) would open the account otherwise.
        func verifier() -> [UInt8]? {
            let beginning = self.secret.first
            if beginning == UInt8(ascii: "$") || beginning == UInt8(ascii: "{") {
                return PasswordRecord(cryptHash: self.secret)?.text
            }
            guard PasswordRecord.isUsable(self.secret) else { return nil }
            return PasswordRecord(derivingFrom: self.secret).text
        }
    }

    /// The lines that hold accounts, and what is wrong with the others.
    static func read(_ path: String) throws -> (lines: [Line], complaints: [String]) {
        guard let octets = Terminal.readFile(path) else {
            throw Complaint(.noInput, "\(path) cannot be read")
        }
        var lines: [Line] = []
        var complaints: [String] = []
        let split = octets.split(separator: 0x0a, omittingEmptySubsequences: false)
        for (index, octets) in split.enumerated() {
            let line = octets.last == 0x0d ? octets.dropLast() : octets
            if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
            let fields = line.split(separator: 0x09, maxSplits: 1)
            let name = fields.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
            guard fields.count == 2, let address = Address(parsing: name) else {
                complaints.append(
                    "\(path):\(index + 1): write an address, a TAB, and a password or hash"
                )
                continue
            }
            lines.append(Line(number: index + 1, address: address, secret: Array(fields[1])))
        }
        return (lines, complaints)
    }
}
