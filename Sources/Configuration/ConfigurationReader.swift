// SPDX-License-Identifier: Apache-2.0
//
// Goes through a document, key by key, and gathers everything that is wrong with it in one run.
// What keys demand of each other is looked at afterwards (ConfigurationReader+Whole.swift).

internal import MailSyntax

/// One reading of one file.
struct ConfigurationReader {
    let file: String
    /// What relative paths in the file are relative to.
    let directory: String
    var configuration = Configuration()
    var errors: [ConfigurationError] = []
    /// The lines of keys that were read and found right, by path.
    var lines: [String: Int] = [:]
    /// Where the listeners of the configuration stand in the file: as many as there are listeners.
    var listenerPlaces: [Row] = []
    /// The same of routes.
    var routePlaces: [Row] = []

    init(file: String) {
        self.file = file
        self.directory = ConfigurationFile.directory(of: file)
        self.configuration.path = file
    }

    /// Reads the whole document.
    mutating func read(_ root: TOMLTable) {
        self.read(root, of: .top)
        for key in ConfigurationKey.all where key.isRequired && root[key.name] == nil {
            self.complain(at: 0, key.path, "is missing; it must be \(key.expectation)")
        }
        if root["listener"] == nil {
            self.complain(
                at: 0,
                "listener",
                "is missing; write [[listener]] with a service and an address at least once"
            )
        }
        self.checkWhole()
    }

    private mutating func read(_ entries: TOMLTable, of table: ConfigurationKey.Table) {
        for entry in entries.entries {
            if let key = ConfigurationKey.all.first(where: {
                $0.table == table && $0.name == entry.name
            }) {
                self.read(entry.value, for: key)
            } else if table == .top {
                self.readTable(entry)
            } else {
                self.complainUnknown(entry, in: table)
            }
        }
    }

    private mutating func readTable(_ entry: TOMLTable.Entry) {
        if entry.name == "listener" { return self.readListeners(entry) }
        if entry.name == "route" { return self.readRoutes(entry) }
        guard let table = ConfigurationKey.Table(rawValue: entry.name), table != .top else {
            return self.complainUnknown(entry, in: .top)
        }
        guard case .table(let entries) = entry.value.content else {
            let found = entry.value.description
            let cure =
                Listener.keys.contains(entry.name)
                ? "; as a key it belongs into a [[listener]] table" : ""
            return self.complain(
                at: entry.value.line,
                entry.name,
                "must be a table, [\(entry.name)], not \(found)\(cure)"
            )
        }
        self.read(entries, of: table)
    }

    // MARK: - Complaints

    mutating func complain(at line: Int, _ key: String, _ why: String) {
        self.errors.append(ConfigurationError(file: self.file, line: line, key: key, why: why))
    }

    private mutating func complainUnknown(
        _ entry: TOMLTable.Entry,
        in table: ConfigurationKey.Table
    ) {
        let path = table.path(of: entry.name)
        if let cure = Self.home(of: entry.name, notIn: table) {
            return self.complain(at: entry.line, path, "is unknown here; \(cure)")
        }
        let known = ConfigurationKey.all.filter { $0.table == table }.map(\.name)
        let tables = ConfigurationKey.Table.allCases.map(\.rawValue).filter { !$0.isEmpty }
        let candidates = table == .top ? known + tables + ["listener", "route"] : known
        self.complain(
            at: entry.line,
            path,
            "is unknown; \(Self.cure(for: entry.name, among: candidates))"
        )
    }

    /// What to do about a name that is none of the candidates.
    static func cure(for name: String, among candidates: [String]) -> String {
        if let nearest = KeySuggestion.nearest(to: name, among: candidates) {
            return "did you mean \(nearest.quoted)?"
        }
        return "known here: \(candidates.joined(separator: ", "))"
    }

    /// Where a key belongs that stands in the wrong table, as those do that come after its header.
    private static func home(of name: String, notIn table: ConfigurationKey.Table) -> String? {
        if Listener.keys.contains(name) { return "it belongs into a [[listener]] table" }
        if RouteKey.allCases.contains(where: { $0.rawValue == name }) {
            return "it belongs into a [[route]] table"
        }
        guard let key = ConfigurationKey.all.first(where: { $0.name == name && $0.table != table })
        else { return nil }
        return self.home(of: key)
    }

    private static func home(of key: ConfigurationKey) -> String {
        key.table == .top
            ? "it belongs to the top of the file, before the first table"
            : "it belongs into the table [\(key.table.rawValue)]"
    }

    /// Where a key belongs that stands in a [[listener]] or [[route]] table.
    static func homeOutsideListeners(of name: String) -> String? {
        ConfigurationKey.all.first { $0.name == name }.map(self.home(of:))
    }
}
