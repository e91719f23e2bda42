// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer's entry for the headers of proxies.

import FuzzProperties

/// Gives one input to the properties of the headers of proxies.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPROXY(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    do {
        try PROXYProperty.check(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    } catch {
        fatalError("\(error)")
    }
}
