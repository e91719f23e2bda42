// SPDX-License-Identifier: Apache-2.0

import MailBytes
import Testing

@testable import EventLoop

@Suite struct HostAddressTests {
    @Test func everyHostHasItsLoopback() {
        let addresses = HostAddresses.all
        #expect(addresses.contains(NetworkAddress(ipv4: 0x7f00_0001, port: 0)))
        #expect(addresses.allSatisfy { $0.port == 0 && $0.family != .unix })
    }
}
