// SPDX-License-Identifier: Apache-2.0
//
// Reads tables that come in any number: [[listener]], [[route]], [[tls.additional]],
// [[auth.token-issuer]].

extension ConfigurationReader {
    /// One of several tables, with its place.
    struct Row {
        let table: TOMLTable
        /// Such as `tls.additional[0]`.
        let path: String
        let line: Int

        /// The line of a key, or of the table when it is left out.
        func line(of key: String) -> Int { self.table[key]?.value.line ?? self.line }
    }

    /// The tables among the values of an array; anything else is complained about.
    mutating func rows(of values: [TOMLValue], for key: ConfigurationKey) -> [Row] {
        self.rows(of: values, named: key.path)
    }

    mutating func rows(of values: [TOMLValue], named name: String) -> [Row] {
        values.enumerated().compactMap { index, value in
            let path = "\(name)[\(index)]"
            if case .table(let table) = value.content {
                return Row(table: table, path: path, line: value.line)
            }
            let why = "must be a table, [[\(name)]], not \(value.description)"
            self.complain(at: value.line, path, why)
            return nil
        }
    }

    mutating func certificate(_ row: Row) -> Configuration.TLS.Certificate? {
        self.checkNames(row, among: ["certificate", "private-key"])
        let chain = self.path(row, "certificate", "a PEM chain, the server's certificate first")
        let key = self.path(row, "private-key", "the PEM key of the certificate")
        guard let chain, let key else { return nil }
        return Configuration.TLS.Certificate(chainPath: chain, keyPath: key)
    }

    mutating func tokenIssuer(_ row: Row) -> Configuration.Auth.TokenIssuer? {
        self.checkNames(row, among: ["issuer", "audience", "keys", "identity-claim"])
        let issuer = self.text(row, "issuer", "what the claim iss of a token must be")
        let audience = self.text(row, "audience", "what the claim aud of a token must contain")
        let keys = self.path(row, "keys", "the issuer's public keys, as a JWK set or PEM")
        let claim = self.text(
            row,
            "identity-claim",
            "the claim that holds the address of the account",
            default: "email"
        )
        guard let issuer, let audience, let keys, let claim else { return nil }
        return Configuration.Auth.TokenIssuer(
            issuer: issuer,
            audience: audience,
            keysPath: keys,
            identityClaim: claim
        )
    }

    // MARK: - Keys of a row

    mutating func checkNames(_ row: Row, among known: [String]) {
        for entry in row.table.entries where !known.contains(entry.name) {
            let why =
                Self.homeOutsideListeners(of: entry.name).map { "is unknown here; \($0)" }
                ?? "is unknown; \(Self.cure(for: entry.name, among: known))"
            self.complain(at: entry.line, "\(row.path).\(entry.name.asKey)", why)
        }
    }

    /// A text of printable characters; an error unless it is there or has a default.
    mutating func text(
        _ row: Row,
        _ key: String,
        _ meaning: String,
        default text: String? = nil
    ) -> String? {
        if row.table[key] == nil, let text { return text }
        return self.string(row, key, "a text (\(meaning))") { text in
            !text.isEmpty && text.utf8.count <= 1024 && text.utf8.allSatisfy { $0 >= 0x20 }
        }
    }

    mutating func path(_ row: Row, _ key: String, _ meaning: String) -> String? {
        self.string(row, key, "the path of a file (\(meaning))", isRight: Self.isPath)
            .map { ConfigurationFile.resolve($0, in: self.directory) }
    }

    mutating func string(
        _ row: Row,
        _ key: String,
        _ expectation: String,
        isRight: (String) -> Bool
    ) -> String? {
        let path = "\(row.path).\(key)"
        guard let value = row.table[key]?.value else {
            self.complain(at: row.line, path, "is missing; it must be \(expectation)")
            return nil
        }
        if case .string(let text) = value.content, isRight(text) { return text }
        self.complain(at: value.line, path, "must be \(expectation), not \(value.description)")
        return nil
    }

    /// A key that is true or false, and false when it is left out.
    mutating func flag(_ row: Row, _ key: String, _ meaning: String) -> Bool {
        guard let value = row.table[key]?.value else { return false }
        if case .boolean(let flag) = value.content { return flag }
        let why = "must be true or false (\(meaning)), not \(value.description)"
        self.complain(at: value.line, "\(row.path).\(key)", why)
        return false
    }
}
