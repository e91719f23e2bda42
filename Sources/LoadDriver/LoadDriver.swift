// SPDX-License-Identifier: Apache-2.0
//
// The closed-loop driver of the benchmarks.

internal import EventLoop
internal import Glibc
internal import LoadTesting

@main
enum LoadDriver {
    static func main() {
        do {
            let options = try LoadOptions(Array(CommandLine.arguments.dropFirst()))
            let isHold = options.command == "hold"
            exit(try isHold ? self.hold(options) : self.load(options))
        } catch let error as LoadOptions.Misuse {
            Terminal.writeError("\(error.sentence)\n\(LoadOptions.usage)\n")
            exit(64)
        } catch {
            Terminal.writeError("\(error)\n")
            exit(71)
        }
    }

    private static func makeLoop(for connections: Int) throws -> EventLoop {
        let wanted = connections + 64
        let limit = EventLoop.raiseDescriptorLimit(to: wanted)
        guard limit >= wanted else {
            throw LoadOptions.Misuse(
                sentence: "\(connections) connections need more than \(limit) descriptors"
            )
        }
        return try EventLoop(connectionsMax: connections)
    }

    /// Runs sessions; the exit status says whether all of them succeeded.
    private static func load(_ options: LoadOptions) throws -> Int32 {
        let plan = try options.plan()
        let loop = try self.makeLoop(for: plan.connections)
        var result: LoadReport?
        let run = LoadRun(plan, tls: try options.tlsService(), on: loop)
        run.start { report in
            result = report
            loop.stop()
        }
        loop.run()
        guard let result else { return 1 }
        for text in result.failureTexts { Terminal.writeError("failed: \(text)\n") }
        Terminal.write(Array((result.json + "\n").utf8), to: 1)
        return result.failures == 0 ? 0 : 1
    }

    /// Holds connections; the exit status says whether all of them lasted.
    private static func hold(_ options: LoadOptions) throws -> Int32 {
        let count = try options.number("--connections", else: 10_000, in: 1...100_000)
        let sources = try options.number("--sources", else: 1, in: 1...250)
        let seconds = try options.number("--seconds", else: 300, in: 1...86_400)
        let addresses = try options.addresses()
        let loop = try self.makeLoop(for: count)
        let hold = IdleHold(
            count,
            to: addresses,
            sources: sources,
            tls: try options.tlsService(),
            on: loop
        )
        var brokenCount = 0
        hold.start { held, broken in
            brokenCount = broken
            Terminal.write(Array("{\"held\":\(held),\"broken\":\(broken)}\n".utf8), to: 1)
        }
        loop.onSignal(SIGTERM) { loop.stop() }
        loop.onSignal(SIGINT) { loop.stop() }
        loop.after(seconds: Double(seconds)) { loop.stop() }
        loop.run()
        return brokenCount == 0 ? 0 : 1
    }
}
