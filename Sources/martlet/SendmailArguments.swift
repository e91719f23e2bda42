// SPDX-License-Identifier: Apache-2.0
//
// The arguments of sendmail, which programs have called for forty years, as those of `send`. What
// only a daemon or a queue of sendmail's could do is taken and ignored, as other servers do.

/// Arguments in sendmail's style.
struct SendmailArguments {
    /// The arguments of `martlet` that mean the same; nil: they ask for something else than to send.
    let translated: [String]?

    /// Options with a value, which stands behind the letter or in the next argument.
    private static let withValue: Set<Character> = [
        "f", "r", "F", "B", "C", "d", "h", "L", "N", "O", "p", "R", "V", "X",
    ]

    /// - Parameter arguments: without the name of the program.
    init(_ arguments: [String]) {
        var send = ["send", "--queue"]
        var recipients: [String] = []
        var ignoresDots = false
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("-"), argument.count > 1, argument != "--" else {
                if argument == "--" {
                    recipients += rest
                    rest = []
                } else {
                    recipients.append(argument)
                }
                continue
            }
            if argument.hasPrefix("--") {
                send.append(argument)
                // `--config FILE` and its like.
                if !argument.contains("="), argument != "--verbose", let value = rest.popFirst() {
                    send.append(value)
                }
                continue
            }
            let letter = argument[argument.index(after: argument.startIndex)]
            let joined = String(argument.dropFirst(2))
            var value = joined
            if Self.withValue.contains(letter), joined.isEmpty { value = rest.popFirst() ?? "" }
            switch letter {
            case "f", "r": send += ["--from", value.isEmpty ? "<>" : value]
            case "F": send += ["--full-name", value]
            case "t": send.append("-t")
            case "i": ignoresDots = true
            case "v": send.append("-v")
            case "o" where joined == "i" || joined.hasPrefix("i "): ignoresDots = true
            // The other ways of delivery; what is asked for is -bm.
            case "b" where joined != "m":
                self.translated = nil
                return
            case "q":
                self.translated = nil
                return
            default: break
            }
        }
        if !ignoresDots { send.append("--dot-ends") }
        for recipient in recipients { send += ["--to", recipient] }
        self.translated = send
    }

    /// Whether the program was called by a name that stands for sendmail.
    static func areMeant(by program: String) -> Bool {
        let name = program.split(separator: "/").last ?? ""
        return name == "sendmail" || name == "martlet-sendmail"
    }

    /// Arguments of `martlet`, where those of `send` may stand as sendmail's do: `-fADDRESS`, `-oi`.
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
