// SPDX-License-Identifier: Apache-2.0

/// One thing that is wrong with a configuration file.
package struct ConfigurationError: Sendable, CustomStringConvertible {
    package let file: String
    /// 0 when the error has no place.
    package let line: Int
    /// The full key path, such as `limits.idle-seconds`; empty when there is none.
    package let key: String
    /// What is wrong and what would be right.
    package let why: String

    package var description: String { "\(self.file):\(self.line): \(self.key): \(self.why)" }
}

/// All that is wrong with a configuration file.
package struct ConfigurationErrors: Error, Sendable {
    package let errors: [ConfigurationError]
}

extension Configuration {
    /// Reads and checks a file.
    package static func load(path: String) throws(ConfigurationErrors) -> Configuration {
        throw ConfigurationErrors(errors: [])
    }
}
