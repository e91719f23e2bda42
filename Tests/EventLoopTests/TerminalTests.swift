// SPDX-License-Identifier: Apache-2.0

@testable import EventLoop
import Glibc
import Testing

/// The blocking calls of a command line.
@Suite(.timeLimit(.minutes(1)))
struct TerminalTests {
    /// What a person types at a terminal, and what comes of it; nil for no answer.
    static let typed: [(String, String?)] = [
        ("secret\n", "secret"),
        ("secret\r", "secret"),
        ("\n", ""),
        ("secrex\u{7f}t\n", "secret"),
        ("wrong\u{15}right\n", "right"),
        ("gr\u{fc}\u{8}\u{fc}n\n", "gr\u{fc}n"),
        ("\u{7f}a\n", "a"),
        ("unfinished\u{4}", "unfinished"),
        ("\u{4}", nil),
    ]

    /// A root without /dev/pts has no terminals to type at.
    static let hasTerminals: Bool = {
        var master: Int32 = -1
        var slave: Int32 = -1
        guard unsafe openpty(&master, &slave, nil, nil, nil) == 0 else { return false }
        close(master)
        close(slave)
        return true
    }()

    @Test(
        "A secret is read without echo, and the terminal is as it was",
        .enabled(if: hasTerminals, "there are no pseudo-terminals here: mount devpts on /dev/pts"),
        arguments: typed
    )
    func secret(typed: String, expected: String?) throws {
        var master: Int32 = -1
        var slave: Int32 = -1
        let opened = unsafe openpty(&master, &slave, nil, nil, nil)
        try #require(opened == 0)
        defer {
            close(master)
            close(slave)
        }
        let keyboard = master
        var before = termios()
        unsafe tcgetattr(slave, &before)
        let thread = WorkerThread(name: "typist") {
            // What is typed before the prompt is thrown away.
            var prompt = [UInt8](repeating: 0, count: 8)
            _ = unsafe read(keyboard, &prompt, 8)
            Terminal.write(Array(typed.utf8), to: keyboard)
        }
        let secret = Terminal.readSecret(prompt: "Secret: ", on: slave)
        thread.join()
        #expect(secret == expected.map { Array($0.utf8) })
        var after = termios()
        unsafe tcgetattr(slave, &after)
        #expect(after.c_lflag == before.c_lflag)
        #expect(after.c_lflag & tcflag_t(ECHO) != 0)
        // Nothing of it was shown: only the line end after it.
        var shown = [UInt8](repeating: 0, count: 64)
        let count = unsafe read(master, &shown, 64)
        #expect(shown.prefix(count) == [0x0d, 0x0a])
    }

    @Test("A descriptor that is no terminal has no secrets")
    func noTerminal() throws {
        let descriptor = unsafe open("/dev/null", O_RDWR)
        defer { close(descriptor) }
        #expect(Terminal.readSecret(prompt: "", on: descriptor) == nil)
        #expect(!Terminal.isTerminal(descriptor))
    }

    @Test("A full pipe is waited for, and a broken one is told")
    func pipes() throws {
        var ends: [Int32] = [0, 0]
        let opened = unsafe pipe(&ends)
        try #require(opened == 0)
        let (reading, writing) = (ends[0], ends[1])
        _ = fcntl(writing, F_SETFL, O_NONBLOCK)
        let content = pattern(1 << 20)
        let read = Findings<Int>()
        let thread = WorkerThread(name: "reader") {
            var total = 0
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            while total < 1 << 20 {
                let count = unsafe Glibc.read(reading, &chunk, 1 << 16)
                guard count > 0 else { break }
                total += count
            }
            read.add(total)
            close(reading)
        }
        #expect(Terminal.write(content, to: writing))
        thread.join()
        #expect(read.all == [1 << 20])
        signal(SIGPIPE, SIG_IGN)
        #expect(!Terminal.write([1], to: writing))
        close(writing)
    }

    @Test("Whole files are read, missing ones are not")
    func files() {
        #expect(Terminal.readFile("/proc/self/cmdline")?.isEmpty == false)
        #expect(Terminal.readFile("/nonexistent") == nil)
        #expect(Terminal.readFile("/") == nil)
        #expect(Terminal.isReadableFile("/proc/self/cmdline"))
        #expect(!Terminal.isReadableFile("/nonexistent"))
    }

    @Test("The clock on the wall goes with the system's")
    func wallClock() {
        let before = time(nil)
        let now = WallClock.now
        #expect(now.seconds >= before)
        #expect(now.seconds <= time(nil) + 1)
        #expect((0..<1000).contains(now.milliseconds))
        #expect(WallClock.seconds >= now.seconds)
    }
}
