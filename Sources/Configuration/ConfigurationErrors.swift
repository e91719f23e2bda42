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

    /// `file:line: key: why`, without what there is none of.
    package var description: String {
        let place = self.line > 0 ? "\(self.file):\(self.line)" : self.file
        return self.key.isEmpty ? "\(place): \(self.why)" : "\(place): \(self.key): \(self.why)"
    }
}

/// All that is wrong with a configuration file, in the order of its lines.
package struct ConfigurationErrors: Error, Sendable {
    package let errors: [ConfigurationError]
}
