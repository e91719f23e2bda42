// SPDX-License-Identifier: Apache-2.0
//
// What OpenSSL asks in the midst of a handshake, and where it finds the answers: which certificates
// a name gets, which protocol is agreed on, which keys open a ticket. The context that handshakes
// begin with owns this object, and this object the contexts of the other names, so that all of it
// lives as long as the last connection.

internal import COpenSSL
internal import MailBytes

/// The answers that a service gives to OpenSSL.
@safe
final class TLSRules {
    let ticketKeys: TicketKeys?
    /// What a client has kept of earlier connections.
    let sessions: KeptSessions
    /// Whether a client keeps any.
    let keepsSessions: Bool
    /// The protocols of ALPN, each as octets.
    private let protocols: [[UInt8]]
    /// The contexts of names, in lower case; the default one has no name here.
    private var contexts: [String: OpaquePointer] = unsafe [:]
    /// One of our references to each of those.
    private var owned: [OpaquePointer] = unsafe []

    init(_ options: TLSOptions) throws(TLSError) {
        self.ticketKeys = options.ticketKeys
        self.protocols = options.applicationProtocols.map { Array($0.utf8) }
        self.sessions = KeptSessions()
        self.keepsSessions = false
    }

    init(_ options: TLSClientOptions) {
        self.ticketKeys = nil
        self.protocols = []
        self.sessions = KeptSessions()
        self.keepsSessions = options.resumesSessions
    }

    deinit {
        unsafe self.owned.forEach { unsafe SSL_CTX_free($0) }
    }

    // MARK: - Contexts

    /// Certificates that one name has, at most one of each type of key.
    private struct Group {
        var names: Set<String>
        var keyTypes: Set<String>
        var certificates: [(chainPath: String, keyPath: String)]
    }

    /// Makes the context of each group of certificates; the caller owns the one returned.
    func makeContexts(_ options: TLSOptions) throws(TLSError) -> OpaquePointer {
        var groups: [Group] = []
        for certificate in options.certificates {
            let facts = try TLSCertificateFacts(path: certificate.chainPath)
            let names = Set(facts.names)
            let place = groups.firstIndex {
                $0.names == names && !$0.keyTypes.contains(Self.slot(of: facts.keyType))
            }
            if let place {
                groups[place].keyTypes.insert(Self.slot(of: facts.keyType))
                groups[place].certificates.append(certificate)
            } else {
                groups.append(
                    Group(
                        names: names,
                        keyTypes: [Self.slot(of: facts.keyType)],
                        certificates: [certificate]
                    )
                )
            }
        }
        let first = unsafe try TLSContext.make(options, groups.first?.certificates ?? [], self)
        for group in groups.dropFirst() {
            do throws(TLSError) {
                let context = unsafe try TLSContext.make(options, group.certificates, self)
                unsafe self.owned.append(context)
                for name in group.names where unsafe self.contexts[name] == nil {
                    unsafe self.contexts[name] = unsafe context
                }
            } catch {
                unsafe SSL_CTX_free(first)
                throw error
            }
        }
        // A name that the default certificates have as well stays theirs.
        for name in groups.first?.names ?? [] { unsafe self.contexts[name] = nil }
        unsafe TLSContext.give(self, to: first)
        return unsafe first
    }

    /// A context has one certificate of each type of key, whatever the size.
    private static func slot(of keyType: String) -> String {
        String(keyType.prefix { $0 != " " })
    }

    func makeClientContext(_ options: TLSClientOptions) throws(TLSError) -> OpaquePointer {
        let context = unsafe try TLSContext.makeClient(options)
        unsafe copenssl_set_app_data(context, Unmanaged.passUnretained(self).toOpaque())
        unsafe TLSContext.give(self, to: context)
        return unsafe context
    }

    // MARK: - The questions

    static func of(_ ssl: OpaquePointer?) -> TLSRules? {
        guard let ssl = unsafe ssl, let data = unsafe copenssl_app_data(ssl) else { return nil }
        return unsafe Unmanaged<TLSRules>.fromOpaque(data).takeUnretainedValue()
    }

    /// The client has or has not named a server: its certificates are the ones to show.
    func chooseContext(for ssl: OpaquePointer) -> Int32 {
        guard unsafe !self.contexts.isEmpty,
            let text = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)
        else { return SSL_TLSEXT_ERR_OK }
        let name = unsafe String(cString: text).lowercased()
        var found = unsafe self.contexts[name]
        if unsafe found == nil, let dot = name.firstIndex(of: ".") {
            unsafe found = self.contexts["*\(name[dot...])"]
        }
        if let context = unsafe found { unsafe SSL_set_SSL_CTX(ssl, context) }
        return SSL_TLSEXT_ERR_OK
    }

    /// The client offers protocols, each as its length and its octets: the first of ours among
    /// them, as its place there; nil when there is none.
    func chooseProtocol(among offers: UnsafeBufferPointer<UInt8>) -> Range<Int>? {
        for wanted in self.protocols {
            var place = 0
            while place < offers.count {
                let end = unsafe place + 1 + Int(offers[place])
                guard end <= offers.count else { break }
                if unsafe offers[(place + 1)..<end].elementsEqual(wanted) {
                    return (place + 1)..<end
                }
                place = end
            }
        }
        return nil
    }
}
