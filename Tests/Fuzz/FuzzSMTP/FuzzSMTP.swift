// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer's entry for the SMTP and LMTP session.

import FuzzProperties

/// Gives one input to the properties of the SMTP session.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSMTP(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    do {
        try SMTPProperty.check(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    } catch {
        fatalError("\(error)")
    }
}
