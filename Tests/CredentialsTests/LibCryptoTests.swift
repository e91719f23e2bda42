// SPDX-License-Identifier: Apache-2.0
//
// The functions of libcrypto as this module calls them, by published vectors.

import Testing

@testable import Credentials

/// Octets from hexadecimal text.
func octets(_ hexadecimal: String) -> [UInt8] {
    let digits = hexadecimal.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map {
        UInt8(digits[$0] << 4 | digits[$0 + 1])
    }
}

@Suite struct LibCryptoTests {
    /// FIPS 180-4 (the examples of the standard) and RFC 1321, appendix A.5, for "abc".
    @Test(arguments: [
        (
            HashFunction.sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        ),
        (.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (.md5, "900150983cd24fb0d6963f7d28e17f72"),
    ])
    func hashes(function: HashFunction, expected: String) {
        #expect(LibCrypto.hash(function, Array("abc".utf8)) == octets(expected))
    }

    @Test func theHashOfNothing() {
        let expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        #expect(LibCrypto.hash(.sha256, []) == octets(expected))
    }

    /// RFC 4231, section 4.3, and RFC 2202, section 3.
    @Test(arguments: [
        (
            HashFunction.sha256,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (.sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
    ])
    func messageAuthentication(function: HashFunction, expected: String) {
        let message = Array("what do ya want for nothing?".utf8)
        let hash = LibCrypto.hmac(function, key: Array("Jefe".utf8), message)
        #expect(hash == octets(expected))
    }

    /// RFC 6070, section 2; the last of them has NULs in password and salt, and is shorter there.
    @Test(arguments: [
        ("password", "salt", 1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"),
        ("password", "salt", 2, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"),
        ("password", "salt", 4096, "4b007901b765489abead49d926f721d065a429c1"),
        ("pass\0word", "sa\0lt", 4096, "56fa6aa75548099dcc37d7f03425e0c3"),
    ])
    func keyDerivation(password: String, salt: String, iterations: Int, expected: String) {
        let key = LibCrypto.pbkdf2(
            .sha1,
            password: Array(password.utf8),
            salt: Array(salt.utf8),
            iterations: iterations
        )
        let begins = octets(expected)
        #expect(key.map { Array($0.prefix(begins.count)) } == begins)
        #expect(key?.count == 20)
    }

    @Test func comparisonsSeeEveryOctet() {
        let octets = randomOctets(40)
        #expect(LibCrypto.areEqual(octets, octets))
        #expect(LibCrypto.areEqual([], []))
        #expect(!LibCrypto.areEqual(octets, Array(octets.dropLast())))
        for index in octets.indices {
            var other = octets
            other[index] ^= 1
            #expect(!LibCrypto.areEqual(octets, other))
        }
    }

    @Test func randomOctetsDiffer() {
        #expect(randomOctets(0).isEmpty)
        #expect(Set((0..<100).map { _ in randomOctets(16) }).count == 100)
    }

    @Test func wipingLeavesZeros() {
        var key = randomOctets(32)
        LibCrypto.wipe(&key)
        #expect(key == [UInt8](repeating: 0, count: 32))
        var nothing: [UInt8] = []
        LibCrypto.wipe(&nothing)
        #expect(nothing.isEmpty)
    }
}

@Suite struct KeyedHashTests {
    @Test func theSamePartsHaveTheSameHash() {
        let hash = KeyedHash()
        let first = hash.hash([1, 2], [3])
        for _ in 0..<3 { #expect(KeyedHash.areEqual(hash.hash([1, 2], [3]), first)) }
    }

    @Test func otherPartsHaveOtherHashes() {
        let hash = KeyedHash()
        let lists: [([UInt8], [UInt8])] = [
            ([], []), ([1], []), ([], [1]), ([1], [2]), ([1, 2], []), ([], [1, 2]), ([0], [0]),
        ]
        #expect(Set(lists.map { hash.hash($0.0, $0.1) }).count == lists.count)
    }

    @Test func comparisonsSeeEveryBit() {
        let first = KeyedHash().hash([1], [2])
        for index in 0..<256 {
            var other = first
            other[index / 64] ^= 1 << UInt64(index % 64)
            #expect(!KeyedHash.areEqual(first, other))
        }
    }

    @Test func anotherKeyGivesAnotherHash() {
        #expect(KeyedHash().hash([1], [2]) != KeyedHash().hash([1], [2]))
    }
}
