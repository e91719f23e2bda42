// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import MailBytes

/// The addresses of this host.
package enum HostAddresses {
    /// Those of all interfaces, as they are now; their port is 0.
    package static var all: [NetworkAddress] {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&first) == 0 else { return [] }
        defer { unsafe freeifaddrs(first) }
        var addresses: [NetworkAddress] = []
        var next = unsafe first
        while let entry = unsafe next {
            if let address = unsafe entry.pointee.ifa_addr {
                let address = unsafe SocketAddress.address(address)
                if address.family != .unix { addresses.append(address.with(port: 0)) }
            }
            unsafe next = entry.pointee.ifa_next
        }
        return addresses
    }
}
