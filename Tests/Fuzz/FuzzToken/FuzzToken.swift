// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer's entry for tokens.

import FuzzProperties

/// Gives one input to the properties of tokens.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzToken(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    do {
        try TokenProperty.check(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    } catch {
        fatalError("\(error)")
    }
}
