// SPDX-License-Identifier: Apache-2.0

extension Configuration {
    /// Reads and checks a file; relative paths in it are relative to its directory.
    package static func load(path: String) throws(ConfigurationErrors) -> Configuration {
        let octets: [UInt8]
        do throws(ConfigurationFile.Unreadable) {
            octets = try ConfigurationFile.read(path)
        } catch {
            throw ConfigurationErrors(
                errors: [ConfigurationError(file: path, line: 0, key: "", why: error.why)]
            )
        }
        return try self.parse(octets, path: path)
    }

    /// Checks the octets of a file that is or could be at `path`.
    static func parse(
        _ octets: [UInt8],
        path: String
    ) throws(ConfigurationErrors) -> Configuration {
        let root: TOMLTable
        do throws(TOMLDocument.SyntaxError) {
            root = try TOMLDocument.parse(octets)
        } catch {
            let error = ConfigurationError(file: path, line: error.line, key: "", why: error.why)
            throw ConfigurationErrors(errors: [error])
        }
        var reader = ConfigurationReader(file: path)
        reader.read(root)
        guard reader.errors.isEmpty else {
            // Sorted by line; those of one line stay in the order they were found.
            let errors = reader.errors.enumerated().sorted {
                ($0.element.line, $0.offset) < ($1.element.line, $1.offset)
            }
            throw ConfigurationErrors(errors: errors.map(\.element))
        }
        return reader.configuration
    }
}
