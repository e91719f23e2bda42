// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer's entry for the POP3 session.

import FuzzProperties

/// Gives one input to the properties of the POP3 session.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPOP3(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    do {
        try POP3Property.check(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    } catch {
        fatalError("\(error)")
    }
}
