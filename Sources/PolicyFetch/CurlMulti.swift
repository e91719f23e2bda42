// SPDX-License-Identifier: Apache-2.0
//
// libcurl's multi interface: many transfers, none of which blocks.

internal import CCurl
internal import EventLoop

/// The owner of one `CURLM`, which is freed with this object.
@safe
final class CurlMulti {
    private let multi: UnsafeMutableRawPointer
    private let watcher: CurlWatcher
    /// By the address of the handle.
    private var transfers: [UInt: CurlTransfer] = [:]
    /// Told of each transfer that is done, outside of libcurl.
    var done: (CurlTransfer, CURLcode) -> Void = { _, _ in }

    /// Nil when there is no memory for it.
    init?(loop: EventLoop) {
        guard Self.isBegun, let multi = unsafe curl_multi_init() else { return nil }
        unsafe self.multi = multi
        self.watcher = CurlWatcher(loop: loop)
        let context = unsafe Unmanaged.passUnretained(self.watcher).toOpaque()
        let code = unsafe ccurl_set_watcher(
            multi,
            { _, socket, what, context, _ in
                guard let context = unsafe context else { return 0 }
                unsafe Unmanaged<CurlWatcher>.fromOpaque(context).takeUnretainedValue()
                    .watch(socket, for: what)
                return 0
            },
            { _, milliseconds, context in
                guard let context = unsafe context else { return 0 }
                unsafe Unmanaged<CurlWatcher>.fromOpaque(context).takeUnretainedValue()
                    .wait(milliseconds: milliseconds)
                return 0
            },
            context
        )
        guard code == CURLM_OK else { return nil }
        self.watcher.ready = { [unowned self] socket, event in self.act(socket, event) }
    }

    /// The watcher lives until the last callback of this.
    deinit {
        self.watcher.ready = { _, _ in }
        for transfer in self.transfers.values {
            unsafe curl_multi_remove_handle(self.multi, transfer.easy)
        }
        unsafe curl_multi_cleanup(self.multi)
        self.watcher.stop()
    }

    private static let isBegun = ccurl_begin() == CURLE_OK

    /// Begins a transfer, which goes on in later turns; false when libcurl refuses it.
    func add(_ transfer: CurlTransfer) -> Bool {
        let code = unsafe curl_multi_add_handle(self.multi, transfer.easy)
        guard code == CURLM_OK else { return false }
        self.transfers[transfer.key] = transfer
        return true
    }

    /// Ends a transfer, done or not.
    func remove(_ transfer: CurlTransfer) {
        guard self.transfers.removeValue(forKey: transfer.key) != nil else { return }
        unsafe curl_multi_remove_handle(self.multi, transfer.easy)
    }

    /// Lets libcurl do what a socket or the time allows.
    private func act(_ socket: Int32, _ event: Int32) {
        var running: Int32 = 0
        unsafe _ = curl_multi_socket_action(self.multi, socket, event, &running)
        var finished: [(CurlTransfer, CURLcode)] = []
        var result = CURLE_OK
        while let easy = unsafe ccurl_next_done(self.multi, &result) {
            guard let transfer = self.transfers[UInt(bitPattern: easy)] else { continue }
            finished.append((transfer, result))
        }
        for (transfer, result) in finished {
            // What is told may have ended others of these.
            guard self.transfers[transfer.key] != nil else { continue }
            self.remove(transfer)
            self.done(transfer, result)
        }
    }
}
