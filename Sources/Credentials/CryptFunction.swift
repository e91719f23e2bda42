// SPDX-License-Identifier: Apache-2.0
//
// crypt(3) of libxcrypt, the function that shadow files and Dovecot's {CRYPT} hashes are made with.

internal import CCrypt

/// The system's crypt(3).
enum CryptFunction {
    /// Whether the system knows the method of a hash.
    static func knows(_ hash: [UInt8]) -> Bool {
        let setting = hash.map { CChar(bitPattern: $0) } + [0]
        switch unsafe crypt_checksalt(setting) {
        // A legacy method serves until the first login; then other keys take its place.
        case CRYPT_SALT_OK, CRYPT_SALT_METHOD_LEGACY, CRYPT_SALT_TOO_CHEAP: return true
        default: return false
        }
    }

    /// The hash of a password with the method and the salt of another hash.
    ///
    /// Nil when the system does not make it. Neither may hold a NUL. Takes milliseconds, or much
    /// more.
    static func hash(_ password: [UInt8], like setting: [UInt8]) -> [UInt8]? {
        var phrase = password + [0]
        defer { LibCrypto.wipe(&phrase) }
        let setting = setting + [0]
        var state = [UInt8](repeating: 0, count: MemoryLayout<crypt_data>.size)
        defer { LibCrypto.wipe(&state) }
        return unsafe phrase.withUnsafeBytes { phrase -> [UInt8]? in
            unsafe setting.withUnsafeBytes { setting -> [UInt8]? in
                unsafe state.withUnsafeMutableBytes { state -> [UInt8]? in
                    guard
                        let made = unsafe crypt_rn(
                            phrase.baseAddress?.assumingMemoryBound(to: CChar.self),
                            setting.baseAddress?.assumingMemoryBound(to: CChar.self),
                            state.baseAddress,
                            Int32(state.count)
                        )
                    else { return nil }
                    return unsafe Array(String(cString: made).utf8)
                }
            }
        }
    }
}
