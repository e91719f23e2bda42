// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer's entry for the session of an SMTP and LMTP client.

import FuzzProperties

/// Gives one input to the properties of that session.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSMTPClient(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    do {
        try SMTPClientProperty.check(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    } catch {
        fatalError("\(error)")
    }
}
