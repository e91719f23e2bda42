// SPDX-License-Identifier: Apache-2.0
//
// Hashes in the modular form of crypt(3): $method$parameters$salt$hash. What has no method in
// front, as the DES hashes of old and words that lock an account, is none.

/// An imported hash.
struct CryptHash: Sendable {
    let octets: [UInt8]

    /// A hash whose method the system knows, in its full length, and not so costly that checking it
    /// would hold up a worker; nil for anything else.
    init?(_ octets: [UInt8]) {
        let parts = octets.split(separator: UInt8(ascii: "$"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard octets.first == UInt8(ascii: "$"), octets.count <= Self.octetsMax,
            octets.allSatisfy(Self.isHashText), parts.count >= 3, let last = parts.last,
            let method = Self.methods.first(where: { $0.name == Self.name(parts[1]) }),
            last.utf8.count == method.lastCount, method.isAffordable(parts),
            CryptFunction.knows(octets)
        else { return nil }
        self.octets = octets
    }

    /// Whether a password is the right one.
    func matches(_ password: [UInt8]) -> Bool {
        guard let made = CryptFunction.hash(password, like: self.octets) else { return false }
        return LibCrypto.areEqual(made, self.octets)
    }

    /// CRYPT_OUTPUT_SIZE of crypt(3).
    private static let octetsMax = 384

    /// crypt(5) allows printable ASCII but for these.
    private static func isHashText(_ octet: UInt8) -> Bool {
        (0x21...0x7e).contains(octet) && !":;*!\\".utf8.contains(octet)
    }

    /// Sun's MD5 has its rounds behind a comma.
    private static func name(_ part: String) -> String {
        String(part.prefix { $0 != "," })
    }

    // MARK: - Methods

    private struct Method: Sendable {
        let name: String
        /// How many characters stand after the last dollar sign.
        let lastCount: Int
        let isAffordable: @Sendable ([String]) -> Bool
    }

    private static let methods: [Method] = [
        Method(name: "1", lastCount: 22) { _ in true },
        Method(name: "3", lastCount: 32) { _ in true },
        Method(name: "5", lastCount: 43) { Self.rounds($0[2]) <= Self.roundsMax },
        Method(name: "6", lastCount: 86) { Self.rounds($0[2]) <= Self.roundsMax },
        Method(name: "2a", lastCount: 53) { Self.number($0[2]) <= Self.bcryptCostMax },
        Method(name: "2b", lastCount: 53) { Self.number($0[2]) <= Self.bcryptCostMax },
        Method(name: "2x", lastCount: 53) { Self.number($0[2]) <= Self.bcryptCostMax },
        Method(name: "2y", lastCount: 53) { Self.number($0[2]) <= Self.bcryptCostMax },
        Method(name: "y", lastCount: 43) { Self.isAffordableYescrypt($0[2]) },
        Method(name: "gy", lastCount: 43) { Self.isAffordableYescrypt($0[2]) },
        Method(name: "7", lastCount: 43) { Self.isAffordableScrypt($0[2]) },
        Method(name: "md5", lastCount: 22) { parts in
            Self.rounds(String(parts[1].dropFirst(4))) <= Self.roundsMax
        },
        Method(name: "sha1", lastCount: 28) { Self.number($0[2]) <= Self.roundsMax },
    ]

    /// About a second of a processor, two hundred times the default of $6$.
    private static let roundsMax = 1_000_000
    /// About two seconds; the cost is the power of two.
    private static let bcryptCostMax = 15

    private static func number(_ text: String) -> Int { Int(text) ?? .max }

    private static func rounds(_ text: String) -> Int {
        text.hasPrefix("rounds=") ? self.number(String(text.dropFirst(7))) : 0
    }

    /// Three letters for flavour, memory and block size; at most 256 MiB.
    private static func isAffordableYescrypt(_ parameters: String) -> Bool {
        let values = parameters.utf8.map(self.value)
        return values.count == 3 && values[1] <= 15 && values[2] <= 31
    }

    /// Memory, block size and parallelism as one letter and twice five; at most 256 MiB.
    private static func isAffordableScrypt(_ parameters: String) -> Bool {
        let letters = Array(parameters.utf8)
        guard letters.count >= 11 else { return false }
        return self.value(letters[0]) <= 16 && self.value(letters[1]) <= 32
            && letters[2..<6].allSatisfy { $0 == UInt8(ascii: ".") }
            && letters[6..<11].elementsEqual("/....".utf8)
    }

    /// The digits of crypt(3)'s base 64, in their order.
    private static func value(_ letter: UInt8) -> Int {
        Array("./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
            .firstIndex(of: letter) ?? .max
    }
}
