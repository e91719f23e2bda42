// SPDX-License-Identifier: Apache-2.0
//
// One context of libunbound on the loop's base: settings, cache and questions under way.

internal import CUnbound
internal import DNSProtocol
internal import EventLoop
internal import Glibc
internal import MailBytes

/// The owner of one `struct ub_ctx`, which is deleted with this object.
///
/// It must not go while libunbound is on the stack. So a flight holds it until its answer is handed
/// on, and that is never done in libunbound's callback.
@safe
final class UnboundContext {
    /// Outlives the context, whose events are on its base.
    private let loop: EventLoop
    private let context: OpaquePointer

    /// A context that is ready to be asked.
    init(
        _ loop: EventLoop,
        _ settings: ResolverSettings,
        servers: [NetworkAddress]
    ) throws(ResolverError) {
        guard let context = unsafe ub_ctx_create_event(loop.base) else {
            throw ResolverError("there is no memory for a resolver")
        }
        self.loop = loop
        unsafe self.context = context
        // What it would say is in the answers; standard error is not its own.
        unsafe _ = ub_ctx_debugout(context, nil)
        for (name, value) in Self.options(settings) { try self.set(name, value) }
        for server in servers {
            let text = "\(server.host)@\(server.port == 0 ? 53 : server.port)"
            try Self.check(unsafe ub_ctx_set_fwd(context, text), "the server \(text)")
        }
        try self.setTrustAnchors(settings)
        try self.begin()
    }

    deinit { unsafe ub_ctx_delete(self.context) }

    // MARK: - Settings

    private static func options(_ settings: ResolverSettings) -> [(String, String)] {
        [
            // The addresses of exchangers come with their names, which saves a round trip.
            ("minimal-responses:", "no"),
            ("outgoing-range:", "\(settings.udpSocketsMax)"),
            ("outgoing-num-tcp:", "\(ResolverSettings.tcpSocketsMax)"),
            ("num-queries-per-thread:", "\(settings.inFlightMax * 4)"),
            // A silent server is given up after five seconds, in place of seventeen; and it is
            // asked again before long.
            ("outbound-msg-retry:", "3"),
            ("infra-host-ttl:", "30"),
            ("infra-keep-probing:", "yes"),
            ("rrset-cache-size:", "\(settings.cacheOctetsMax / 2)"),
            ("msg-cache-size:", "\(settings.cacheOctetsMax / 4)"),
            ("key-cache-size:", "\(settings.cacheOctetsMax / 8)"),
            ("neg-cache-size:", "\(settings.cacheOctetsMax / 8)"),
        ] + settings.openZones.map { ("local-zone:", "\($0). transparent") }
    }

    private func set(_ option: String, _ value: String) throws(ResolverError) {
        let code = unsafe ub_ctx_set_option(self.context, option, value)
        try Self.check(code, "\(option) \(value)")
    }

    private func setTrustAnchors(_ settings: ResolverSettings) throws(ResolverError) {
        switch settings.trustAnchors {
        case .none: return
        case .whenPossible(let file):
            guard unsafe access(file, R_OK) == 0 else { return }
            try self.set("harden-dnssec-stripped:", "no")
            for zone in settings.openZones { try self.set("domain-insecure:", "\(zone).") }
            try Self.check(unsafe ub_ctx_add_ta_file(self.context, file), file)
        case .always(let file):
            guard unsafe access(file, R_OK) == 0 else {
                throw ResolverError("\(file): \(unsafe String(cString: strerror(errno)))")
            }
            try Self.check(unsafe ub_ctx_add_ta_file(self.context, file), file)
        }
    }

    /// The settings are read with the first question: one that needs no server.
    private func begin() throws(ResolverError) {
        let code = unsafe ub_resolve_event(
            self.context,
            "localhost.",
            1,
            1,
            nil,
            { _, _, _, _, _, _, _ in },
            nil
        )
        try Self.check(code, "the resolver's settings or its trust anchors")
    }

    private static func check(_ code: Int32, _ what: String) throws(ResolverError) {
        guard code != 0 else { return }
        throw ResolverError("\(what): \(self.sentence(code))")
    }

    private static func sentence(_ code: Int32) -> String {
        unsafe ub_strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
    }

    // MARK: - Questions

    /// Asks; the flight may have landed already on return.
    func launch(_ flight: ResolverFlight) {
        // libunbound's, until its callback takes it or the question is cancelled.
        let reference = unsafe Unmanaged.passRetained(flight)
        var number: Int32 = 0
        let code = unsafe ub_resolve_event(
            self.context,
            flight.question.name,
            Int32(flight.question.type.rawValue),
            1,
            reference.toOpaque(),
            { reference, code, packet, count, security, why, _ in
                guard let reference = unsafe reference else { return }
                let flight = unsafe Unmanaged<ResolverFlight>.fromOpaque(reference)
                    .takeRetainedValue()
                unsafe UnboundContext.land(flight, code, packet, count, security, why)
            },
            &number
        )
        if code != 0 {
            unsafe reference.release()
            flight.land(.failure(Self.sentence(code)))
        } else if flight.landing == nil {
            flight.number = number
        }
    }

    /// The flight will not land.
    func cancel(_ flight: ResolverFlight) {
        guard let number = flight.number, flight.landing == nil else { return }
        flight.number = nil
        guard unsafe ub_cancel(self.context, number) == 0 else { return }
        // No callback is going to take it.
        unsafe Unmanaged.passUnretained(flight).release()
    }

    /// libunbound's callback.
    ///
    /// What it is shown lives no longer than the call.
    private static func land(
        _ flight: ResolverFlight,
        _ code: Int32,
        _ packet: UnsafeMutableRawPointer?,
        _ count: Int32,
        _ security: Int32,
        _ why: UnsafeMutablePointer<CChar>?
    ) {
        // With a code of failure the packet is what was left of another one.
        guard code == 0, let packet = unsafe packet, count > 0 else {
            let code = DNSResponseCode(rawValue: UInt8(truncatingIfNeeded: code))
            return flight.land(.failure("no server has a usable answer (\(code))"))
        }
        let octets = unsafe Span<UInt8>(
            _unsafeStart: packet.assumingMemoryBound(to: UInt8.self),
            count: Int(count)
        )
        let status: DNSSECStatus =
            switch security {
            case 0: .insecure
            case 2: .secure
            default: .bogus(unsafe self.printable(why))
            }
        do throws(DNSMessageError) {
            flight.land(.message(try DNSMessage(octets: octets), status))
        } catch {
            flight.land(.failure("the answer cannot be read"))
        }
    }

    /// The beginning of a text of libunbound's, which may quote what a server said.
    private static func printable(_ text: UnsafeMutablePointer<CChar>?) -> String {
        guard let text = unsafe text else { return "the signatures are no good" }
        let octets = unsafe (0..<strnlen(text, 200)).map { unsafe UInt8(bitPattern: text[$0]) }
        return String(
            decoding: octets.map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: "?") },
            as: UTF8.self
        )
    }
}
