// SPDX-License-Identifier: Apache-2.0
//
// The arguments of sendmail, which programs have called for forty years, as those of `send`. What
// only a daemon or a queue of sendmail's could do is taken and ignored, as other servers do.

/// Arguments in sendmail's style.
struct SendmailArguments {
    /// Options with a value, which stands behind the letter or in the next argument.
    private static let withValue: Set<Character> = [
        "f", "r", "F", "B", "C", "d", "h", "L", "N", "O", "p", "R", "V", "X",
    ]

    private static let flags: Set<Character> = ["i", "t", "v"]

    private var send = ["send", "--queue"]
    private var recipients: [String] = []
    private var ignoresDots = false
    /// Whether something else than sending is asked for.
    private var isOther = false

    /// - Parameter arguments: without the name of the program.
    init(_ arguments: [String]) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                self.recipients += rest
                break
            }
            if argument.hasPrefix("--") {
                self.takeLong(argument, &rest)
            } else if argument.hasPrefix("-"), argument.count > 1 {
                self.take(argument.dropFirst(), &rest)
            } else {
                self.recipients.append(argument)
            }
        }
        if !self.ignoresDots { self.send.append("--dot-ends") }
    }

    /// The arguments of `martlet` that mean the same; nil: they ask for other things than to send.
    var translated: [String]? {
        self.isOther ? nil : self.send + self.recipients.map { "--to=\($0)" }
    }

    /// Takes an option of ours, such as `--config FILE`.
    private mutating func takeLong(_ argument: String, _ rest: inout ArraySlice<String>) {
        self.send.append(argument)
        guard !argument.contains("="), argument != "--verbose", let value = rest.popFirst() else {
            return
        }
        self.send.append(value)
    }

    /// Takes an option of sendmail's, without its dash.
    private mutating func take(_ option: Substring, _ rest: inout ArraySlice<String>) {
        // Flags may stand together: -ti.
        if option.allSatisfy({ Self.flags.contains($0) }) {
            if option.contains("t") { self.send.append("-t") }
            if option.contains("v") { self.send.append("-v") }
            self.ignoresDots = self.ignoresDots || option.contains("i")
            return
        }
        guard let letter = option.first else { return }
        let joined = String(option.dropFirst())
        var value = joined
        if Self.withValue.contains(letter), joined.isEmpty { value = rest.popFirst() ?? "" }
        switch letter {
        case "f", "r": self.send.append("--from=\(value.isEmpty ? "<>" : value)")
        case "F": self.send.append("--full-name=\(value)")
        case "o" where joined == "i": self.ignoresDots = true
        // Other modes than -bm, which is sending, and the queue.
        case "b" where joined != "m", "q": self.isOther = true
        default: break
        }
    }

    /// Whether the program was called by a name that stands for sendmail.
    static func areMeant(by program: String) -> Bool {
        let name = program.split(separator: "/").last ?? ""
        return name == "sendmail" || name == "martlet-sendmail"
    }

    /// Arguments of `martlet`; those of `send` may stand as sendmail's do: `-fADDRESS`, `-oi`.
    static func loosened(_ arguments: [String]) -> [String] {
        guard arguments.first == "send" else { return arguments }
        return arguments.flatMap { argument -> [String] in
            if argument == "-oi" { return ["-i"] }
            guard argument.count > 2, argument.hasPrefix("-f") || argument.hasPrefix("-F") else {
                return [argument]
            }
            return [String(argument.prefix(2)), String(argument.dropFirst(2))]
        }
    }
}
