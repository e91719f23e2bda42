// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import MailBytes

/// What the system calls this host and its user.
package enum SystemNames {
    /// The name of the host, as far as it fits into mail; `localhost` when it has none.
    package static var host: String {
        var octets = [UInt8](repeating: 0, count: 256)
        let code = unsafe octets.withUnsafeMutableBytes { buffer -> Int32 in
            guard let start = buffer.baseAddress else { return -1 }
            return unsafe gethostname(
                start.assumingMemoryBound(to: CChar.self),
                buffer.count - 1
            )
        }
        let name = octets.prefix { $0 != 0 }
        let isName = name.allSatisfy { octet in
            octet.isASCIILetter || octet.isASCIIDigit || octet == .dot || octet == UInt8(ascii: "-")
        }
        guard code == 0, !name.isEmpty, isName else { return "localhost" }
        return String(decoding: name, as: UTF8.self).lowercased()
    }

    /// The login name of the effective user; its number when it has none.
    package static var user: String {
        guard let entry = unsafe getpwuid(geteuid()), let name = unsafe entry.pointee.pw_name else {
            return "\(geteuid())"
        }
        return unsafe String(cString: name)
    }
}
