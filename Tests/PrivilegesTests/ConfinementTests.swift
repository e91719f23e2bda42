// SPDX-License-Identifier: Apache-2.0
//
// Landlock holds for a thread and those it starts: each test confines a thread of its own, and the
// others stay free.

import EventLoop
import Foundation
import Testing

@testable import Privileges

/// What a confined thread found.
private struct Findings: Sendable, Equatable {
    var failure: String?
    var report: Confinement.Report?
    /// The names of what could be done.
    var done: Set<String> = []
}

@Suite struct ConfinementTests {
    private static let isOffered: Bool = {
        let findings = run(Confinement()) { _ in }
        return findings.report != nil
    }()

    /// Confines a thread, lets it try things, and waits for what it found.
    private static func run(
        _ confinement: Confinement,
        _ body: @escaping @Sendable (inout Set<String>) -> Void
    ) -> Findings {
        let findings = WorkQueue<Findings>()
        let thread = WorkerThread(name: "confined") {
            var found = Findings()
            do throws(PrivilegeError) {
                try Privileges.forbidNewOnes()
                found.report = try confinement.enter()
                body(&found.done)
            } catch {
                found.failure = error.description
            }
            findings.put(found)
        }
        thread.join()
        return findings.takeOne() ?? Findings()
    }

    private static func folder() throws -> String {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-\(UUID().uuidString)").path
        for name in ["own", "certificates", "other", "run"] {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(name)",
                withIntermediateDirectories: true
            )
            try Data("x".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)/there"))
        }
        return folder
    }

    @Test(.enabled("the kernel has no Landlock") { isOffered })
    func onlyWhatIsNamedIsReached() throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var confinement = Confinement()
        confinement.writable = ["\(folder)/own"]
        confinement.readable = ["\(folder)/certificates", "\(folder)/none"]
        let findings = Self.run(confinement) { done in
            for name in ["own", "certificates", "other"] {
                let there = "\(folder)/\(name)/there"
                if canOpen(there, O_RDONLY) { done.insert("read \(name)") }
                if canOpen(there, O_WRONLY) { done.insert("write \(name)") }
                if canOpen("\(folder)/\(name)/new", O_WRONLY | O_CREAT) {
                    done.insert("make \(name)")
                }
                if unsafe truncate(there, 0) == 0 { done.insert("truncate \(name)") }
                if unsafe rename(there, "\(there)-still") == 0 { done.insert("rename \(name)") }
            }
            if canOpen("/etc/passwd", O_RDONLY) { done.insert("read passwd") }
        }
        #expect(findings.failure == nil)
        #expect(
            findings.done == [
                "read own", "write own", "make own", "truncate own", "rename own",
                "read certificates",
            ]
        )
        // This thread is as free as before.
        #expect(canOpen("\(folder)/other/there", O_RDONLY))
    }

    @Test(.enabled("the kernel has no Landlock") { isOffered })
    func portsAreTheOnesNamed() throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (listener, port) = try listeningSocket()
        defer { close(listener) }
        let (spare, free) = try listeningSocket()
        close(spare)
        var confinement = Confinement()
        confinement.writable = ["\(folder)/own"]
        confinement.ports = [free]
        let findings = Self.run(confinement) { done in
            if connects(to: port) { done.insert("connect") }
            if binds(free) { done.insert("bind") }
            if binds(0) { done.insert("bind another") }
        }
        let report = try #require(findings.report)
        #expect(
            findings.done
                == (report.confinesPorts ? ["bind"] : ["connect", "bind", "bind another"])
        )
        #expect(connects(to: port))
    }
}

private func canOpen(_ path: String, _ flags: Int32) -> Bool {
    let descriptor = unsafe open(path, flags | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return false }
    close(descriptor)
    return true
}

private func withLoopback(_ port: UInt16, _ body: (UnsafePointer<sockaddr>) -> Int32) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0) }
    }
}

private let addressSize = socklen_t(MemoryLayout<sockaddr_in>.size)

private func streamSocket() -> Int32 { socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }

private func binds(_ port: UInt16) -> Bool {
    let descriptor = streamSocket()
    defer { close(descriptor) }
    return unsafe withLoopback(port) { unsafe bind(descriptor, $0, addressSize) } == 0
}

private func connects(to port: UInt16) -> Bool {
    let descriptor = streamSocket()
    defer { close(descriptor) }
    return unsafe withLoopback(port) { unsafe connect(descriptor, $0, addressSize) } == 0
}

private func listeningSocket() throws -> (descriptor: Int32, port: UInt16) {
    let descriptor = streamSocket()
    let bound = unsafe withLoopback(0) { unsafe bind(descriptor, $0, addressSize) }
    try #require(bound == 0 && listen(descriptor, 8) == 0)
    var address = sockaddr_in()
    var size = addressSize
    let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe getsockname(descriptor, $0, &size)
        }
    }
    try #require(code == 0)
    return (descriptor, UInt16(bigEndian: address.sin_port))
}
