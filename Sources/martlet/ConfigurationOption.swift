// SPDX-License-Identifier: Apache-2.0
//
// The option that every command has, and what happens when the file is wrong.

internal import ArgumentParser
internal import Configuration
internal import EventLoop

struct ConfigurationOption: ParsableArguments {
    @Option(
        name: .customLong("config"),
        help: ArgumentHelp(
            "The configuration file. (default: conf/martlet.toml, else /etc/martlet/martlet.toml)",
            valueName: "file"
        )
    )
    var path: String?

    /// The configuration; exits with EX_CONFIG and every error of the file when it is wrong.
    func load() throws -> Configuration {
        do throws(ConfigurationErrors) {
            return try Configuration.load(path: self.path ?? Self.defaultPath)
        } catch {
            throw Complaint(exitCode: .configuration, lines: error.errors.map(\.description))
        }
    }

    /// The configuration, or nil when none is named and none stands in the usual places.
    func loadIfThere() throws -> Configuration? {
        let isThere = Self.usualPaths.contains(where: Terminal.isReadableFile)
        return self.path != nil || isThere ? try self.load() : nil
    }

    private static let usualPaths = ["conf/martlet.toml", "/etc/martlet/martlet.toml"]

    private static var defaultPath: String {
        self.usualPaths.first(where: Terminal.isReadableFile) ?? self.usualPaths[0]
    }
}
