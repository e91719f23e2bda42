// SPDX-License-Identifier: Apache-2.0
//
// The one place that touches the C interface of the parser: octets in, values out.

internal import CTOML

/// Parses TOML.
enum TOMLDocument {
    /// Why a text is not TOML.
    struct SyntaxError: Error, Equatable {
        let line: Int
        let why: String
    }

    /// The root table of a document.
    static func parse(_ octets: [UInt8]) throws(SyntaxError) -> TOMLTable {
        let document = unsafe octets.withUnsafeBytes { buffer in
            unsafe ctoml_parse(
                buffer.baseAddress?.assumingMemoryBound(to: CChar.self),
                buffer.count
            )
        }
        guard let document = unsafe document else {
            throw SyntaxError(line: 0, why: "no memory to read it")
        }
        defer { unsafe ctoml_free(document) }
        let failure = unsafe self.string(ctoml_failure(document))
        guard failure.isEmpty else {
            let place = unsafe ctoml_failure_place(document)
            throw SyntaxError(line: Int(place.line), why: failure)
        }
        var index = 0
        let root = unsafe self.entry(of: document, at: &index)
        guard case .table(let table) = root.value.content else { return TOMLTable() }
        return table
    }

    /// One node with everything below it.
    ///
    /// The index moves behind them. The depth of the recursion is bounded by the parser.
    private static func entry(
        of document: OpaquePointer,
        at index: inout Int
    ) -> TOMLTable.Entry {
        let node = unsafe ctoml_node_at(document, index)
        index += 1
        let content: TOMLValue.Content
        switch unsafe node.kind {
        case .table:
            var table = TOMLTable()
            for _ in unsafe 0..<node.count {
                table.entries.append(unsafe self.entry(of: document, at: &index))
            }
            content = .table(table)
        case .array:
            var values: [TOMLValue] = []
            for _ in unsafe 0..<node.count {
                values.append(unsafe self.entry(of: document, at: &index).value)
            }
            content = .array(values)
        case .string: content = unsafe .string(self.string(node.text))
        case .integer: content = unsafe .integer(node.integer)
        case .float: content = unsafe .float(node.number)
        case .boolean: content = unsafe .boolean(node.integer != 0)
        case .date: content = .date
        }
        return TOMLTable.Entry(
            name: unsafe self.string(node.key),
            line: unsafe Int(node.key_place.line),
            value: TOMLValue(content: content, line: unsafe Int(node.place.line))
        )
    }

    private static func string(_ text: ctoml_text) -> String {
        let octets = unsafe UnsafeRawBufferPointer(start: text.octets, count: text.count)
        return unsafe String(decoding: octets, as: UTF8.self)
    }
}
