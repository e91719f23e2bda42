// SPDX-License-Identifier: Apache-2.0

@testable import EventLoop
import Glibc
import MailBytes
import Testing

/// Listening sockets of every kind, and what happens when too many come.
@Suite(.timeLimit(.minutes(1)))
struct ListenerTests {
    private static func greet(_ handler: ScriptedHandler, _ stream: any ByteStream) {
        stream.send("hello\n")
    }

    /// A directory of its own, short enough for a socket's path.
    private static func temporaryDirectory() throws -> String {
        var template = Array("/tmp/martlet-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.flatMap { unsafe mkdtemp($0) } != nil
        }
        try #require(made)
        return String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
    }

    private static func mode(of path: String) -> mode_t? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        return status.st_mode
    }

    @Test("Both families of the internet are listened on, each for itself")
    func families() throws {
        for address in [Loopback.ipv4, Loopback.ipv6] {
            let harness = try LoopHarness(on: address, configure: Self.greet)
            guard case .ip(let bound) = harness.address else {
                Issue.record("the address changed its kind")
                continue
            }
            #expect(bound.port != 0)
            let findings = Findings<String>()
            harness.run { address in
                guard let peer = Peer(to: address) else { return }
                findings.add(peer.readLine())
                peer.close()
            }
            #expect(findings.all == ["hello"])
            #expect(harness.streams[0].peer.isLoopback)
            #expect(harness.streams[0].peer.family == bound.family)
        }
        // The same port of IPv4 stays free beside one of IPv6 on every address.
        let loop = try EventLoop(connectionsMax: 4)
        let any6 = ListenAddress.ip(NetworkAddress(ipv6: 0, 0, port: 0))
        let six = try loop.listen(on: any6) { _ in }
        guard case .ip(let bound) = six.address else { return }
        let four = ListenAddress.ip(NetworkAddress(ipv4: 0, port: bound.port))
        #expect(throws: Never.self) { try loop.listen(on: four) { _ in } }
    }

    @Test("A port that is taken is refused with the reason")
    func portTaken() throws {
        let loop = try EventLoop(connectionsMax: 4)
        let first = try loop.listen(on: Loopback.ipv4) { _ in }
        let error = try #require(throws: EventLoopError.self) {
            try loop.listen(on: first.address) { _ in }
        }
        #expect(error.code == EADDRINUSE)
        #expect(error.description == "bind: Address already in use")
        first.close()
        #expect(throws: Never.self) { try loop.listen(on: first.address) { _ in } }
    }

    @Test("Several listeners serve at once, and a closed one no more")
    func several() throws {
        let loop = try EventLoop(connectionsMax: 8)
        var listeners: [Listener] = []
        for number in 0..<3 {
            listeners.append(
                try loop.listen(on: Loopback.ipv4) { stream in
                    stream.send("\(number)\n")
                    stream.close()
                }
            )
        }
        listeners[1].close()
        let addresses = listeners.map(\.address)
        let findings = Findings<String>()
        let mailbox = loop.makeMailbox { [unowned loop] (_: Int) in loop.stop() }
        let thread = WorkerThread(name: "peers") {
            for address in addresses {
                let peer = Peer(to: address)
                findings.add(peer?.readLine() ?? "refused")
                peer?.close()
            }
            mailbox.post(0)
        }
        loop.run()
        thread.join()
        #expect(findings.all == ["0", "refused", "2"])
    }

    @Test("A listener may be closed while it accepts")
    func closedWhileAccepting() throws {
        let loop = try EventLoop(connectionsMax: 8)
        var listener: Listener?
        var accepted = 0
        listener = try loop.listen(on: Loopback.ipv4) { stream in
            accepted += 1
            stream.abort()
            listener?.close()
            listener = nil
            loop.after(seconds: 0.05) { loop.stop() }
        }
        let address = try #require(listener?.address)
        let peers = try (0..<4).map { _ in try #require(Peer(to: address)) }
        loop.run()
        for peer in peers { peer.close() }
        #expect(accepted == 1)
    }

    @Test("A Unix socket is its owner's, or as wide as asked, and its file goes when it closes")
    func unixSocket() throws {
        let path = try Self.temporaryDirectory() + "/socket"
        let harness = try LoopHarness(on: .unix(path: path), configure: Self.greet)
        #expect(Self.mode(of: path) == S_IFSOCK | 0o600)
        let findings = Findings<String>()
        harness.run { address in
            guard let peer = Peer(to: address) else { return }
            findings.add(peer.readLine())
            peer.close()
        }
        #expect(findings.all == ["hello"])
        #expect(harness.streams[0].peer == .unix)
        let loop = try EventLoop(connectionsMax: 1)
        let wide = try loop.listen(on: .unix(path: path + "2"), mode: 0o666) { _ in }
        #expect(Self.mode(of: path + "2") == S_IFSOCK | 0o666)
        wide.close()
        #expect(Self.mode(of: path + "2") == nil)
    }

    @Test("The user at the other end of a Unix socket is known")
    func peerUser() throws {
        let path = try Self.temporaryDirectory() + "/socket"
        var users: [UInt32?] = []
        let harness = try LoopHarness(on: .unix(path: path)) { _, stream in
            users.append(stream.peerUser)
        }
        harness.run { address in Peer(to: address)?.close() }
        #expect(users == [getuid()])
    }

    @Test("A socket file left behind is replaced, one in use and any other file are not")
    func staleUnixSocket() throws {
        let path = try Self.temporaryDirectory() + "/socket"
        let address = ListenAddress.unix(path: path)
        let loop = try EventLoop(connectionsMax: 4)
        // What a killed process leaves: a file without anybody behind it.
        close(try SocketAddress.listen(on: address, backlog: 1, mode: 0o600))
        #expect(Self.mode(of: path) != nil)
        let listener = try loop.listen(on: address) { _ in }
        let inUse = try #require(throws: EventLoopError.self) {
            try loop.listen(on: address) { _ in }
        }
        #expect(inUse.code == EADDRINUSE)
        let peer = try #require(Peer(to: address), "the living socket is still there")
        peer.close()
        listener.close()
        close(unsafe open(path, O_CREAT | O_WRONLY, 0o600))
        #expect(throws: EventLoopError.self) { try loop.listen(on: address) { _ in } }
        #expect(Self.mode(of: path) == S_IFREG | 0o600)
        unsafe unlink(path)
    }

    @Test("A path too long for a Unix socket is refused")
    func longPath() throws {
        let loop = try EventLoop(connectionsMax: 4)
        let path = "/tmp/" + String(repeating: "x", count: 120)
        let error = try #require(throws: EventLoopError.self) {
            try loop.listen(on: .unix(path: path)) { _ in }
        }
        #expect(error.code == ENAMETOOLONG)
        #expect(throws: EventLoopError.self) { try loop.connect(to: .unix(path: path)) }
    }

    @Test("A storm of connections is accepted in portions, between which others have their turn")
    func storm() throws {
        let loop = try EventLoop(connectionsMax: 512)
        var perTurn: [Int: Int] = [:]
        let listener = try loop.listen(on: Loopback.ipv4) { [unowned loop] _ in
            perTurn[loop.turn, default: 0] += 1
            if perTurn.values.reduce(0, +) == 200 { loop.stop() }
        }
        // They all wait in the backlog before the loop turns for the first time.
        let peers = try (0..<200).map { _ in try #require(Peer(to: listener.address)) }
        loop.after(seconds: 5) { [unowned loop] in loop.stop() }
        loop.run()
        for peer in peers { peer.close() }
        #expect(perTurn.values.reduce(0, +) == 200)
        #expect(perTurn.values.max() ?? 0 <= 32)
    }

    @Test("The limit of descriptors is raised as far as the system lets it, and never lowered")
    func raisedLimit() async {
        await #expect(processExitsWith: .success) {
            var limit = rlimit()
            unsafe getrlimit(Self.descriptors, &limit)
            let hard = Int(clamping: limit.rlim_max)
            limit.rlim_cur = 128
            unsafe setrlimit(Self.descriptors, &limit)
            guard EventLoop.raiseDescriptorLimit(to: 64) == 128 else { exit(1) }
            guard EventLoop.raiseDescriptorLimit(to: 200) == 200 else { exit(2) }
            unsafe getrlimit(Self.descriptors, &limit)
            guard limit.rlim_cur == 200, Int(clamping: limit.rlim_max) == hard else { exit(3) }
            // More than any kernel allows: what there is, and no failure.
            guard EventLoop.raiseDescriptorLimit(to: 1 << 40) >= 200 else { exit(4) }
            exit(0)
        }
    }

    private static let descriptors = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)

    @Test("Without free descriptors accepting stops, serving goes on, and accepting comes back")
    func outOfDescriptors() async {
        // The limit is the process's, and other tests need theirs.
        await #expect(processExitsWith: .success) {
            var limit = rlimit()
            unsafe getrlimit(Self.descriptors, &limit)
            let loop = try EventLoop(connectionsMax: 16)
            var streams: [any ByteStream] = []
            var turnsWhileFull = 0
            let listener = try loop.listen(on: Loopback.ipv4) { stream in
                let handler = ScriptedHandler()
                handler.onReceived = { octets, stream in
                    stream.send(octets)
                    return Consumption(count: octets.count, next: .awaitMore)
                }
                stream.handler = handler
                streams.append(stream)
            }
            let address = listener.address
            let peers = (0..<8).compactMap { _ in Peer(to: address) }
            let mailbox = loop.makeMailbox { (step: Int) in
                if step == 0 { turnsWhileFull = loop.turn }
                if step == 1 { turnsWhileFull = loop.turn - turnsWhileFull }
                if step == 2 { loop.stop() }
            }
            // Room for four more descriptors than there are now, without holes among those.
            let highest = (0..<Int32(limit.rlim_cur)).last { fcntl($0, F_GETFD) >= 0 } ?? 0
            var last = dup(0)
            while last < highest + 4 { last = dup(0) }
            for descriptor in (last - 3)...last { close(descriptor) }
            limit.rlim_cur = rlim_t(last) + 1
            unsafe setrlimit(Self.descriptors, &limit)
            let findings = Findings<Bool>()
            let thread = WorkerThread(name: "peers") {
                // Four are served, although more wait.
                for peer in peers[..<4] {
                    peer.write("full")
                    findings.add(peer.read(4) == Array("full".utf8))
                }
                mailbox.post(0)
                WorkerThread.sleep(milliseconds: 500)
                mailbox.post(1)
                peers[4].write("wait")
                // Each that goes makes room for another.
                for index in 0..<4 {
                    peers[index].close()
                    if index > 0 { peers[index + 4].write("wait") }
                    findings.add(peers[index + 4].read(4) == Array("wait".utf8))
                }
                mailbox.post(2)
            }
            loop.after(seconds: 20) { loop.stop() }
            loop.run()
            thread.join()
            guard findings.all == [Bool](repeating: true, count: 8), streams.count == 8 else {
                exit(1)
            }
            // It does not spin while it waits.
            exit(turnsWhileFull < 10 ? 0 : 2)
        }
    }
}
