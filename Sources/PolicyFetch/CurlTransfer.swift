// SPDX-License-Identifier: Apache-2.0
//
// One fetch as libcurl does it: HTTPS and nothing else, to addresses that are given, with no
// redirection, no proxy, nothing remembered and nothing taken from the environment.

internal import CCurl
internal import MailBytes

/// The owner of one easy handle, which is freed with this object.
@safe
final class CurlTransfer {
    let number: UInt64
    let easy: UnsafeMutableRawPointer
    let done: (Result<[UInt8], PolicyFetchError>) -> Void
    private let octetsMax: Int
    /// The address of the handle, as a number.
    var key: UInt { unsafe UInt(bitPattern: self.easy) }
    private let message: UnsafeMutablePointer<CChar>
    private var addresses: UnsafeMutablePointer<curl_slist>?
    private var octets: [UInt8] = []
    private var headOctets = 0
    private var isHeadWhole = false
    private var isTooLong = false

    /// Nil when there is no memory for it.
    init?(
        number: UInt64,
        host: String,
        addresses: [NetworkAddress],
        settings: PolicyFetchSettings,
        done: @escaping (Result<[UInt8], PolicyFetchError>) -> Void
    ) {
        guard let easy = unsafe curl_easy_init() else { return nil }
        self.number = number
        unsafe self.easy = easy
        self.done = done
        self.octetsMax = settings.octetsMax
        unsafe self.message = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe self.message.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        guard self.configure(host, addresses, settings) else { return nil }
    }

    deinit {
        unsafe curl_easy_cleanup(self.easy)
        unsafe curl_slist_free_all(self.addresses)
        unsafe self.message.deallocate()
    }

    // MARK: - Settings

    private func configure(
        _ host: String,
        _ addresses: [NetworkAddress],
        _ settings: PolicyFetchSettings
    ) -> Bool {
        let port = settings.port
        let hosts = addresses.map { $0.family == .ipv6 ? "[\($0.host)]" : $0.host }
        // The plus sign lets libcurl forget the addresses like others that it looked up.
        let resolved = "+\(host):\(port):\(hosts.joined(separator: ","))"
        unsafe self.addresses = curl_slist_append(nil, resolved)
        guard unsafe self.addresses != nil else { return false }
        let milliseconds = Int(min(max(settings.secondsMax, 0.001), 3600) * 1000)
        var isSet =
            self.set(CURLOPT_URL, "https://\(host):\(port)/.well-known/mta-sts.txt")
            && self.set(CURLOPT_PROTOCOLS_STR, "https")
            && self.set(CURLOPT_PROXY, "")
            && self.set(CURLOPT_NOSIGNAL, 1)
            && self.set(CURLOPT_FOLLOWLOCATION, 0)
            && self.set(CURLOPT_SSL_VERIFYPEER, 1)
            && self.set(CURLOPT_SSL_VERIFYHOST, 2)
            && self.set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
            && self.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
            && self.set(CURLOPT_FRESH_CONNECT, 1)
            && self.set(CURLOPT_FORBID_REUSE, 1)
            && self.set(CURLOPT_SSL_SESSIONID_CACHE, 0)
            && self.set(CURLOPT_TIMEOUT_MS, milliseconds)
            && self.set(CURLOPT_MAXFILESIZE, settings.octetsMax)
        if let file = settings.authoritiesFile {
            // In place of the system's, not beside them.
            isSet = isSet && self.set(CURLOPT_CAINFO, file)
            isSet = unsafe isSet && ccurl_set_pointer(self.easy, CURLOPT_CAPATH, nil) == CURLE_OK
        }
        isSet =
            unsafe isSet
            && ccurl_set_pointer(self.easy, CURLOPT_RESOLVE, self.addresses) == CURLE_OK
        isSet =
            unsafe isSet
            && ccurl_set_pointer(self.easy, CURLOPT_ERRORBUFFER, self.message) == CURLE_OK
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        return unsafe isSet && ccurl_set_writer(self.easy, Self.write, context) == CURLE_OK
            && ccurl_set_head_writer(self.easy, Self.writeHead, context) == CURLE_OK
    }

    private func set(_ option: CURLoption, _ value: Int) -> Bool {
        unsafe ccurl_set_long(self.easy, option, value) == CURLE_OK
    }

    private func set(_ option: CURLoption, _ text: String) -> Bool {
        unsafe text.withCString { unsafe ccurl_set_pointer(self.easy, option, $0) == CURLE_OK }
    }

    // MARK: - What comes

    /// Fewer octets taken than given end the transfer.
    private static let write: curl_write_callback = { start, size, count, context in
        guard let context = unsafe context, let start = unsafe start else { return 0 }
        let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
        let octets = unsafe UnsafeRawBufferPointer(start: start, count: size * count)
        guard octets.count <= transfer.octetsMax - transfer.octets.count else {
            transfer.isTooLong = true
            return 0
        }
        unsafe transfer.octets.append(contentsOf: octets)
        return octets.count
    }

    /// A line of the head, of which libcurl keeps all and has not always had a limit of its own.
    private static let writeHead: curl_write_callback = { _, size, count, context in
        guard let context = unsafe context else { return 0 }
        let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
        return transfer.receiveHead(lineOctets: size * count) ? size * count : 0
    }

    private func receiveHead(lineOctets: Int) -> Bool {
        self.headOctets += lineOctets
        self.isTooLong = self.headOctets > Self.headOctetsMax
        // The empty line; libcurl takes a head without it for one that is whole.
        if lineOctets <= 2 { self.isHeadWhole = true }
        return !self.isTooLong
    }

    private static let headOctetsMax = 32_768

    /// What became of the fetch.
    func outcome(_ result: CURLcode) -> Result<[UInt8], PolicyFetchError> {
        let status = unsafe ccurl_response_code(self.easy)
        switch result {
        case CURLE_OPERATION_TIMEDOUT: return .failure(.timedOut)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CACERT_BADFILE:
            return .failure(.certificate(self.reason(result)))
        // Whatever else it says, and however long, it is no policy.
        case _ where status != 0 && status != 200: return .failure(.status(Int(status)))
        case CURLE_FILESIZE_EXCEEDED: return .failure(.tooLong)
        case _ where self.isTooLong: return .failure(.tooLong)
        case CURLE_OK where !self.isHeadWhole: return .failure(.unreachable("the head breaks off"))
        case CURLE_OK: break
        default: return .failure(.unreachable(self.reason(result)))
        }
        let type = unsafe ccurl_content_type(self.easy).map { unsafe Self.text($0) } ?? ""
        let name = type.prefix { $0 != ";" && $0 != " " && $0 != "\t" }
        guard name.lowercased() == "text/plain" else { return .failure(.mediaType(type)) }
        return .success(self.octets)
    }

    private func reason(_ result: CURLcode) -> String {
        let own = unsafe Self.text(self.message)
        if !own.isEmpty { return own }
        return unsafe curl_easy_strerror(result).map { unsafe Self.text($0) } ?? "it failed"
    }

    /// The beginning of a text that may quote a server, in printable characters.
    private static func text(_ start: UnsafePointer<CChar>) -> String {
        var octets: [UInt8] = []
        while octets.count < 200 {
            let octet = unsafe UInt8(bitPattern: start[octets.count])
            guard octet != 0 else { break }
            octets.append((0x20...0x7e).contains(octet) ? octet : UInt8(ascii: "?"))
        }
        return String(decoding: octets, as: UTF8.self)
    }
}
