// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Credentials

@Suite struct CredentialCacheTests {
    private let name = Array("demo@example.test".utf8)
    private let password = Array("secret".utf8)

    @Test func aRightPasswordIsKnownAgain() {
        var cache = CredentialCache(entriesMax: 10)
        #expect(cache.account(of: self.name, ifPasswordIs: self.password) == nil)
        cache.remember(self.name, self.password, account: 7)
        #expect(cache.account(of: self.name, ifPasswordIs: self.password) == 7)
        #expect(cache.account(of: self.name, ifPasswordIs: Array("Secret".utf8)) == nil)
        #expect(cache.account(of: self.name, ifPasswordIs: []) == nil)
        #expect(
            cache.account(of: Array("demo@example.tes".utf8), ifPasswordIs: self.password) == nil
        )
        let shifted = Array("demo@example.tests".utf8)
        #expect(cache.account(of: shifted, ifPasswordIs: Array("ecret".utf8)) == nil)
    }

    @Test func aNewPasswordTakesThePlaceOfTheOld() {
        var cache = CredentialCache(entriesMax: 10)
        cache.remember(self.name, self.password, account: 7)
        cache.remember(self.name, [1], account: 8)
        #expect(cache.account(of: self.name, ifPasswordIs: self.password) == nil)
        #expect(cache.account(of: self.name, ifPasswordIs: [1]) == 8)
        #expect(cache.count == 1)
    }

    @Test func aForgottenNameIsGone() {
        var cache = CredentialCache(entriesMax: 10)
        for account in 0..<10 { cache.remember([UInt8(account)], [1], account: Int64(account)) }
        cache.forget([3])
        cache.forget([3])
        cache.forget([77])
        for account in 0..<10 {
            let found = cache.account(of: [UInt8(account)], ifPasswordIs: [1])
            #expect(found == (account == 3 ? nil : Int64(account)))
        }
        #expect(cache.count == 9)
        cache.forgetAll()
        #expect(cache.count == 0)
        #expect(cache.account(of: [4], ifPasswordIs: [1]) == nil)
    }

    @Test func theMemoryIsBoundedAndStaysConsistent() {
        var cache = CredentialCache(entriesMax: 50)
        var generator = SystemRandomNumberGenerator()
        for round in 0..<5000 {
            let name = [UInt8.random(in: 0...200, using: &generator)]
            switch round % 7 {
            case 6: cache.forget(name)
            default:
                cache.remember(name, [1], account: Int64(name[0]))
                #expect(cache.account(of: name, ifPasswordIs: [1]) == Int64(name[0]))
            }
            #expect(cache.count <= 50)
        }
        let known = (0...200).count {
            cache.account(of: [UInt8($0)], ifPasswordIs: [1]) == Int64($0)
        }
        #expect(known == cache.count)
    }

    @Test func aFullMemoryTakesANewNameAndLosesOneOther() {
        var cache = CredentialCache(entriesMax: 3)
        for account in 0..<4 { cache.remember([UInt8(account)], [1], account: Int64(account)) }
        #expect(cache.count == 3)
        #expect(cache.account(of: [3], ifPasswordIs: [1]) == 3)
        #expect((0..<3).count { cache.account(of: [UInt8($0)], ifPasswordIs: [1]) != nil } == 2)
    }

    @Test(arguments: [0, -5])
    func aMemoryOfNothingStaysEmpty(entriesMax: Int) {
        var cache = CredentialCache(entriesMax: entriesMax)
        cache.remember(self.name, self.password, account: 7)
        #expect(cache.count == 0)
        #expect(cache.account(of: self.name, ifPasswordIs: self.password) == nil)
    }
}
