// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Credentials

@Suite struct PasswordRecordTests {
    private func isValid(_ verdict: PasswordRecord.Verdict) -> Bool {
        if case .valid = verdict { return true }
        return false
    }

    private func isInvalid(_ verdict: PasswordRecord.Verdict) -> Bool {
        if case .invalid = verdict { return true }
        return false
    }

    @Test func aDerivedRecordKnowsItsPassword() throws {
        let record = PasswordRecord(derivingFrom: Array("correct horse".utf8))
        #expect(self.isValid(record.verify(Array("correct horse".utf8))))
        #expect(self.isInvalid(record.verify(Array("correct horsf".utf8))))
        #expect(self.isInvalid(record.verify(Array("correct horse ".utf8))))
        #expect(self.isInvalid(record.verify([])))
        let stored = try #require(PasswordRecord(text: record.text))
        #expect(self.isValid(stored.verify(Array("correct horse".utf8))))
    }

    @Test func theTextHoldsBothMechanismsSaltedApart() throws {
        let record = PasswordRecord(derivingFrom: [0x61])
        let text = String(decoding: record.text, as: UTF8.self)
        let parts = text.split(separator: " ")
        try #require(parts.count == 3)
        #expect(parts[0] == "1")
        #expect(parts[1].hasPrefix("SCRAM-SHA-256$15000:"))
        #expect(parts[2].hasPrefix("SCRAM-SHA-1$30000:"))
        let sha256 = try #require(SCRAMKeys(text: Array(parts[1].utf8)))
        let sha1 = try #require(SCRAMKeys(text: Array(parts[2].utf8)))
        #expect(sha256.salt != sha1.salt)
        #expect(sha256.salt.count == 16 && sha1.salt.count == 16)
        #expect(sha1.matches([0x61]))
        #expect(record.text.count <= 512)
        #expect(PasswordRecord(derivingFrom: [0x61]).text != record.text)
    }

    @Test func passwordsAreOctets() {
        let composed = PasswordRecord(text: PasswordRecord.forSimulation(password: [0xc3, 0xa9]))
        #expect(composed.map { self.isValid($0.verify([0xc3, 0xa9])) } ?? false)
        #expect(composed.map { self.isInvalid($0.verify([0x65, 0xcc, 0x81])) } ?? false)
    }

    @Test func unusablePasswordsOpenNothing() {
        let long = [UInt8](repeating: 0x61, count: 1024)
        #expect(PasswordRecord.isUsable(long))
        for password in [[], long + [0x61], [0], [0x61, 0, 0x62]] {
            #expect(!PasswordRecord.isUsable(password))
            let record = PasswordRecord(derivingFrom: password)
            #expect(record.text.isEmpty)
            #expect(self.isInvalid(record.verify(password)))
        }
        // crypt(3) would stop at the NUL and find the rest right.
        let hash = PasswordRecord(cryptHash: Array(Self.md5.utf8))
        #expect(hash.map { self.isInvalid($0.verify(Array("secret\0more".utf8))) } ?? false)
    }

    @Test func anEmptyRecordOpensToNobody() throws {
        let record = try #require(PasswordRecord(text: []))
        #expect(self.isInvalid(record.verify([])))
        #expect(self.isInvalid(record.verify(Array("secret".utf8))))
    }

    /// What an unknown account costs is what a known one costs: the same function with the same
    /// parameters.
    @Test func thePlaceholderCostsWhatARecordCosts() throws {
        let text = PasswordRecord(derivingFrom: [0x61]).text
        let parts = text.split(separator: 0x20)
        let keys = try #require(SCRAMKeys(text: parts[1]))
        #expect(SCRAMKeys.nobody.mechanism == keys.mechanism)
        #expect(SCRAMKeys.nobody.iterations == keys.iterations)
        #expect(SCRAMKeys.nobody.salt.count == keys.salt.count)
        #expect(SCRAMKeys.nobody.storedKey.count == keys.storedKey.count)
        #expect(!SCRAMKeys.nobody.matches([]))
    }

    @Test func simulationsGetTheSameRecordEachTime() throws {
        let text = PasswordRecord.forSimulation(password: Array("simulated".utf8))
        #expect(text == PasswordRecord.forSimulation(password: Array("simulated".utf8)))
        let record = try #require(PasswordRecord(text: text))
        #expect(self.isValid(record.verify(Array("simulated".utf8))))
        #expect(self.isInvalid(record.verify(Array("simulate".utf8))))
    }

    // MARK: - Imported hashes

    private static let md5 = "$1$saltsalt$9xy1btjgzLYfb7hivXtC//"
    private static let yescrypt =
        "$y$j9T$abcdefghijklmnopqrstu.$pk06PwnbQa631foWNYhw6N.E9wx6lICleH/SnT.xzi0"

    @Test(arguments: [
        // The vectors of the specification of the SHA hashes.
        ("Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
        (
            "Hello world!",
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEd"
                + "FCoEOfaS35inz1"
        ),
        (
            "Hello world!",
            "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA"
        ),
        // From the test suites of bcrypt and scrypt.
        ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        ("U*U", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        (
            "pleaseletmein",
            "$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D"
        ),
        // Made with libxcrypt 4.4.
        ("correct horse", yescrypt),
        ("secret", md5),
        ("secret", "$gy$j9T$abcdefghijklmnopqrstu.$1s.TBXqOEDUKTM0p34w/5gMZfyrqbWRUh9/6Jmsd2X5"),
        ("secret", "$sha1$1000$saltsalt$Afd9xS7u8w4h.ywETK2u0ha2i2TG"),
        ("secret", "$md5,rounds=904$saltsalt$$sR6NNiA9flV5JxQ2CH/7T."),
        ("secret", "$3$$878d8014606cda29677a44efa1353fc7"),
    ])
    func importedHashesKnowTheirPasswordAndAreReplaced(password: String, hash: String) throws {
        let imported = try #require(PasswordRecord(cryptHash: Array(hash.utf8)))
        let record = try #require(PasswordRecord(text: imported.text))
        #expect(self.isInvalid(record.verify(Array(password.utf8) + [0x21])))
        #expect(self.isInvalid(record.verify(Array(password.utf8.dropLast()))))
        guard case .validRehash(let better) = record.verify(Array(password.utf8)) else {
            Issue.record("the right password is not accepted")
            return
        }
        #expect(better.text.starts(with: "1 SCRAM-SHA-256$".utf8))
        #expect(self.isValid(better.verify(Array(password.utf8))))
    }

    @Test(arguments: ["{CRYPT}", "{crypt}", "{MD5-CRYPT}", "{SHA512-CRYPT}", "{BLF-CRYPT}"])
    func theNameOfTheSchemeIsTakenOff(scheme: String) throws {
        let named = try #require(PasswordRecord(cryptHash: Array((scheme + Self.md5).utf8)))
        let plain = try #require(PasswordRecord(cryptHash: Array(Self.md5.utf8)))
        #expect(named.text == plain.text)
    }

    @Test(arguments: [
        "", "secret", "*", "!", "!!", "x", "ab01FAX.bQRSU", "_J9..CCCCXBrJUJV154M", "{PLAIN}secret",
        "{CRYPT}", "{CRYPT}ab01FAX.bQRSU", "{SHA512}$1$saltsalt$9xy1btjgzLYfb7hivXtC//", "$", "$$",
        "$1", "$1$", "$1$saltsalt$", "$1$saltsalt$9xy1btjgzLYfb7hivXtC/",
        "$1$saltsalt$9xy1btjgzLYfb7hivXtC///", "!$1$saltsalt$9xy1btjgzLYfb7hivXtC//",
        "$1$salt:alt$9xy1btjgzLYfb7hivXtC//", "$1$salt salt$9xy1btjgzLYfb7hivXtC//",
        "$1$saltsalt$9xy1btjgzLYfb7hivXtC//\n", "$9$saltsalt$9xy1btjgzLYfb7hivXtC//",
        "$6$saltstring", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.",
        // So costly that a worker would be busy for minutes.
        "$6$rounds=999999999$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68"
            + "u4OTLiBFdcbYEdFCoEOfaS35inz1",
        "$5$rounds=9999999999999999999$saltstringsaltst$"
            + "3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA",
        "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
        "$y$jFT$abcdefghijklmnopqrstu.$UZxrd..YmUquPWSy6CJvQSvECWIzTg2ZAQjDO06zqr8",
        "$7$U6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D",
        "$sha1$999999999$saltsalt$Afd9xS7u8w4h.ywETK2u0ha2i2TG",
    ])
    func whatIsNoHashOrLocksAnAccountIsRefused(hash: String) {
        #expect(PasswordRecord(cryptHash: Array(hash.utf8)) == nil)
    }

    @Test func aNULIsNoPartOfAHash() {
        #expect(PasswordRecord(cryptHash: Array((Self.md5 + "\0").utf8)) == nil)
        #expect(PasswordRecord(cryptHash: [0x24, 0x31, 0x24, 0xff]) == nil)
        #expect(PasswordRecord(cryptHash: [UInt8](repeating: 0x24, count: 10_000)) == nil)
    }

    @Test(arguments: [
        "x", "1", "1 ", "1  ", "2 a b", "1 {CRYPT}", "1 {CRYPT}secret", "{CRYPT}$1$", " 1 a b",
    ])
    func whatIsNoRecordIsNone(text: String) {
        #expect(PasswordRecord(text: Array(text.utf8)) == nil)
    }

    @Test func damagedRecordsOpenNothing() throws {
        let password = Array("simulated".utf8)
        let text = PasswordRecord.forSimulation(password: password)
        // Version, mechanism, iterations, salt and stored key: all that a password is checked with.
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        let end = parts[0].count + 1 + parts[1].count
        for index in 0..<end {
            var damaged = text
            damaged[index] ^= 0x01
            if let record = PasswordRecord(text: damaged) {
                #expect(self.isInvalid(record.verify(password)), "octet \(index)")
            }
        }
        for count in 1..<text.count {
            #expect(PasswordRecord(text: Array(text.prefix(count))) == nil)
        }
    }
}
