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

    private static var defaultPath: String {
        let candidates = ["conf/martlet.toml", "/etc/martlet/martlet.toml"]
        return candidates.first { Terminal.isReadableFile($0) } ?? candidates[0]
    }
}
