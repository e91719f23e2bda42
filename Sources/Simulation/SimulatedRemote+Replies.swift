// SPDX-License-Identifier: Apache-2.0
//
// What a simulated host says, and all that goes wrong with it.

extension SimulatedRemote {
    func fault() -> Fault {
        guard self.host.moodNow == .troubled, self.world.oneIn(9) else { return .none }
        let faults: [Fault] = [
            .silence, .end, .halfReply, .goodbye, .nonsense, .refusal, .refusal, .rejection,
        ]
        return faults[self.world.pick(faults.count)]
    }

    /// Replies, if nothing goes wrong; `then` is called when the reply is given as it stands.
    func answer(_ reply: String, _ then: () -> Void = {}) {
        self.carryOut(self.fault(), reply, then)
    }

    func carryOut(_ fault: Fault, _ reply: String, _ then: () -> Void) {
        switch fault {
        case .none:
            self.say(reply)
            then()
        case .silence:
            self.phase = .mute
        case .end:
            self.end()
        case .halfReply:
            self.send(Array(reply.utf8.prefix(1 + self.world.pick(reply.utf8.count))))
            self.end()
        case .goodbye:
            self.say("421 4.3.2 going down")
            self.end()
        case .nonsense:
            self.sayNonsense()
        case .refusal:
            self.say("451 4.3.0 not now")
            if self.phase == .greeting { self.end() }
        case .rejection:
            self.say("554 5.7.1 never")
            if self.phase == .greeting { self.end() }
        }
    }

    func say(_ reply: String) { self.send(Array("\(reply)\r\n".utf8)) }

    /// What no client can make sense of: endless lines, lines without end, octets.
    func sayNonsense() {
        switch self.world.pick(4) {
        case 0: self.send([UInt8](repeating: UInt8(ascii: "x"), count: 20_000))
        case 1: self.say((0..<300).map { _ in "250-again" }.joined(separator: "\r\n"))
        case 2: self.say("HTTP/1.1 200 OK\r\n\r\n<html>")
        default: self.send((0..<300).map { _ in UInt8(self.world.pick(256)) })
        }
        self.phase = .mute
        if self.world.oneIn(2) { self.end() }
    }

    /// Sends after what was said before, in segments, after a while.
    func send(_ octets: [UInt8]) {
        let cut = self.world.oneIn(5) ? self.world.pick(octets.count + 1) : octets.count
        for part in [Array(octets[..<cut]), Array(octets[cut...])] where !part.isEmpty {
            self.saidAt = max(self.saidAt, self.world.now) + self.pause()
            self.whenSaid { stream in stream?.arrive(part) }
        }
    }

    func pause() -> Double {
        if self.host.moodNow == .troubled, self.world.oneIn(30) {
            return self.world.between(100, 700)
        }
        return self.world.oneIn(3) ? self.world.between(0, 2) : 0.01
    }

    func whenSaid(_ body: @escaping (SimulatedStream?) -> Void) {
        // The connection may be forgotten before all is said.
        self.world.after(seconds: self.saidAt - self.world.now) { body(self.stream) }
    }

    /// Ends the connection, once all is said.
    func end() {
        self.phase = .mute
        let isReset = self.world.oneIn(3)
        self.whenSaid { stream in
            if isReset { stream?.reset() } else { stream?.peerShutDown() }
        }
    }
}
