// SPDX-License-Identifier: Apache-2.0

internal import Credentials
internal import EventLoop

/// The file of `martlet user import`.
enum ImportFile {
    /// One account.
    struct Line {
        let number: Int
        let address: String
        let secret: String

        /// What the store keeps: the hash as it is, or keys derived from the password.
        func verifier() throws -> [UInt8] {
            let isHash = self.secret.hasPrefix("$") || self.secret.hasPrefix("{CRYPT}")
            guard isHash else { return PasswordRecord(derivingFrom: Array(self.secret.utf8)).text }
            let hash = self.secret.hasPrefix("{CRYPT}") ? String(self.secret.dropFirst(7)) : self.secret
            guard let record = PasswordRecord(cryptHash: Array(hash.utf8)) else {
                throw Complaint(.data, "line \(self.number): not a crypt(3) hash this system knows")
            }
            return record.text
        }
    }

    static func read(_ path: String) throws -> [Line] {
        guard let octets = Terminal.readFile(path) else {
            throw Complaint(.data, "\(path) cannot be read")
        }
        var lines: [Line] = []
        for (index, line) in octets.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
            let text = String(decoding: line, as: UTF8.self)
            if text.isEmpty || text.hasPrefix("#") { continue }
            let fields = text.split(separator: "\t", maxSplits: 1, omittingEmptySubsequences: false)
            guard fields.count == 2, !fields[1].isEmpty else {
                throw Complaint(.data, "\(path):\(index + 1): write an address, a TAB and a password")
            }
            lines.append(Line(number: index + 1, address: String(fields[0]), secret: String(fields[1])))
        }
        return lines
    }
}
