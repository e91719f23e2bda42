// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer's entry for addresses: whatever is accepted has a canonical form that is accepted again
// and stays as it is.

import MailSyntax

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAddress(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    guard let address = Address(octets: input.span) else { return 0 }
    precondition(address.octets.count <= 1024, "addresses are bounded")
    if let again = Address(parsing: address.text) {
        precondition(again == address, "the canonical form is a fixed point")
    }
    return 0
}
