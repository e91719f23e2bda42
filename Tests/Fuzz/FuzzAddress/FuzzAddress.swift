// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer's entry for mailboxes and paths.

import FuzzProperties

/// Gives one input to the properties of mailboxes and paths.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAddress(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    do {
        try AddressProperty.check(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    } catch {
        fatalError("\(error)")
    }
}
