// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer's entry for messages of the domain name system.

import FuzzProperties

/// Gives one input to the properties of messages of the domain name system.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDNS(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    do {
        try DNSProperty.check(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
        return 0
    } catch {
        fatalError("\(error)")
    }
}
