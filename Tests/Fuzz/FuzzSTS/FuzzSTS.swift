// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer's entry for the records and policies of MTA-STS.

import FuzzProperties

/// Gives one input to the properties of MTA-STS.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSTS(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    do {
        try STSProperty.check(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    } catch {
        fatalError("\(error)")
    }
}
