// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer's entry for the SASL exchange.

import FuzzProperties

/// Gives one input to the properties of the SASL exchange.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSASL(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    do {
        try SASLProperty.check(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    } catch {
        fatalError("\(error)")
    }
}
