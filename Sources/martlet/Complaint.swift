// SPDX-License-Identifier: Apache-2.0
//
// What went wrong, for standard error, with the exit code that says of which kind it was.

internal import ArgumentParser
internal import EventLoop

/// Exit codes of sysexits(3).
enum SysExit: Int32 {
    case usage = 64
    case data = 65
    case noInput = 66
    case noUser = 67
    case noHost = 68
    case unavailable = 69
    case software = 70
    case cannotCreate = 73
    case ioError = 74
    case temporaryFailure = 75
    case noPermission = 77
    case configuration = 78
}

/// Prints its lines on standard error and ends the program with its code.
struct Complaint: Error {
    let exitCode: SysExit
    let lines: [String]

    init(exitCode: SysExit, lines: [String]) {
        self.exitCode = exitCode
        self.lines = lines
    }

    init(_ exitCode: SysExit, _ line: String) {
        self.init(exitCode: exitCode, lines: [line])
    }

    /// Runs `body`; a complaint becomes lines on standard error and an exit code.
    static func handling(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let complaint as Complaint {
            let lines = complaint.lines.map { "martlet: \($0)\n" }
            Terminal.writeError(lines.joined())
            throw ExitCode(complaint.exitCode.rawValue)
        }
    }
}
