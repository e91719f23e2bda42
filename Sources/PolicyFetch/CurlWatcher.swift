// SPDX-License-Identifier: Apache-2.0
//
// The sockets and the one timer of libcurl's, on the event loop.

internal import CCurl
internal import EventLoop

/// What libcurl's callbacks speak to; they only note what is to be watched.
final class CurlWatcher {
    /// The two directions of a socket.
    private struct Watches {
        var readable: DescriptorWatch?
        var writable: DescriptorWatch?
    }

    private let loop: EventLoop
    private var sockets: [Int32: Watches] = [:]
    private var timer: Timer?
    /// Told of a ready socket with what it is ready for; or of CURL_SOCKET_TIMEOUT.
    var ready: (Int32, Int32) -> Void = { _, _ in }

    init(loop: EventLoop) { self.loop = loop }

    /// Watches a socket for what libcurl waits for; a socket that is closed is no longer watched.
    func watch(_ socket: Int32, for what: Int32) {
        let wantsInput = what & CURL_POLL_IN != 0 && what != CURL_POLL_REMOVE
        let wantsOutput = what & CURL_POLL_OUT != 0 && what != CURL_POLL_REMOVE
        var watches = self.sockets[socket] ?? Watches()
        self.set(&watches.readable, wantsInput, socket, .readable, CURL_CSELECT_IN)
        self.set(&watches.writable, wantsOutput, socket, .writable, CURL_CSELECT_OUT)
        self.sockets[socket] = wantsInput || wantsOutput ? watches : nil
    }

    private func set(
        _ watch: inout DescriptorWatch?,
        _ isWanted: Bool,
        _ socket: Int32,
        _ readiness: DescriptorWatch.Readiness,
        _ event: Int32
    ) {
        if isWanted, watch == nil {
            watch = self.loop.watch(socket, for: readiness) { [unowned self] in
                self.ready(socket, event)
            }
        } else if !isWanted {
            watch?.cancel()
            watch = nil
        }
    }

    /// Waits so many milliseconds; a negative number is for ever.
    func wait(milliseconds: Int) {
        self.timer?.cancel()
        self.timer = nil
        guard milliseconds >= 0 else { return }
        self.timer = self.loop.after(seconds: Double(milliseconds) / 1000) { [unowned self] in
            self.timer = nil
            self.ready(CURL_SOCKET_TIMEOUT, 0)
        }
    }

    /// Nothing is watched any more.
    func stop() {
        self.wait(milliseconds: -1)
        for watches in self.sockets.values {
            watches.readable?.cancel()
            watches.writable?.cancel()
        }
        self.sockets = [:]
    }
}
