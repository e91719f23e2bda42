// SPDX-License-Identifier: Apache-2.0
//
// The few blocking calls that a command line needs of the system: whole reads and writes of
// descriptors and files, and a password prompt without echo.

internal import CLibevent
internal import Glibc

/// Blocking reads and writes, for threads other than the loop's.
package enum Terminal {
    /// Writes all octets to a descriptor, waiting as long as it takes; false when it is broken.
    @discardableResult
    package static func write(_ octets: [UInt8], to descriptor: Int32) -> Bool {
        var offset = 0
        while offset < octets.count {
            let written = unsafe octets.withUnsafeBytes { buffer in
                unsafe Glibc.write(
                    descriptor,
                    buffer.baseAddress.map { unsafe $0 + offset },
                    buffer.count - offset
                )
            }
            if written < 0 {
                if errno == EINTR { continue }
                guard errno == EAGAIN else { return false }
                var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe Glibc.poll(&poll, 1, 1000)
                continue
            }
            offset += written
        }
        return true
    }

    /// Writes text to standard error.
    package static func writeError(_ text: String) {
        self.write(Array(text.utf8), to: 2)
    }

    /// Whether a file can be read.
    package static func isReadableFile(_ path: String) -> Bool {
        unsafe access(path, R_OK) == 0
    }

    /// Whether a descriptor is a terminal.
    package static func isTerminal(_ descriptor: Int32) -> Bool {
        isatty(descriptor) == 1
    }

    /// The octets of a file, or of standard input for "-"; nil when it cannot be read.
    package static func readFile(_ path: String) -> [UInt8]? {
        let descriptor = path == "-" ? 0 : unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { if descriptor > 0 { close(descriptor) } }
        var octets: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe read(descriptor, buffer.baseAddress, buffer.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            guard count > 0 else { return octets }
            octets += chunk[..<count]
        }
    }

    /// Asks for a secret on the controlling terminal; nil when there is none.
    package static func readSecret(prompt: String) -> [UInt8]? {
        let descriptor = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return self.readSecret(prompt: prompt, on: descriptor)
    }

    /// Asks for a secret on a terminal; nil when it is none, or is gone.
    static func readSecret(prompt: String, on descriptor: Int32) -> [UInt8]? {
        var before = termios()
        guard unsafe tcgetattr(descriptor, &before) == 0 else { return nil }
        var silent = before
        // Signals from the keyboard would leave the terminal silent behind them; they come as
        // octets instead, one by one.
        silent.c_lflag &= ~tcflag_t(ECHO | ISIG | ICANON)
        silent.c_cc.5 = 0  // VTIME
        silent.c_cc.6 = 1  // VMIN
        unsafe tcsetattr(descriptor, TCSAFLUSH, &silent)
        self.write(Array(prompt.utf8), to: descriptor)
        let typed = self.readTyped(on: descriptor)
        unsafe tcsetattr(descriptor, TCSAFLUSH, &before)
        self.write([0x0a], to: descriptor)
        if typed == .interrupt { raise(SIGINT) }
        guard case .line(let line) = typed else { return nil }
        return line
    }

    private enum Typed: Equatable {
        case line([UInt8])
        case interrupt
        case end
    }

    private static func readTyped(on descriptor: Int32) -> Typed {
        var line: [UInt8] = []
        while true {
            var octet: UInt8 = 0
            let count = unsafe read(descriptor, &octet, 1)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return .end }
            switch octet {
            case 0x0a, 0x0d: return .line(line)
            case 0x03: return .interrupt
            case 0x04: return line.isEmpty ? .end : .line(line)
            case 0x08, 0x7f: self.eraseCharacter(of: &line)
            case 0x15: line = []
            default: if line.count <= self.secretOctetsMax { line.append(octet) }
            }
        }
    }

    /// A character of UTF-8 goes as a whole.
    private static func eraseCharacter(of line: inout [UInt8]) {
        while let last = line.popLast(), last & 0xc0 == 0x80 {}
    }

    /// One octet more than this is kept, to show that the secret was too long.
    private static let secretOctetsMax = 1024
}

/// The clock on the wall.
package enum WallClock {
    /// Seconds since 1970, UTC.
    package static var seconds: Int64 { self.now.seconds }

    /// Seconds and milliseconds since 1970, UTC.
    package static var now: (seconds: Int64, milliseconds: Int) {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return (Int64(time.tv_sec), Int(time.tv_nsec) / 1_000_000)
    }
}
