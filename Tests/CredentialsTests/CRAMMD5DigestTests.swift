// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Credentials

@Suite struct CRAMMD5DigestTests {
    private let challenge = Array("<1896.697170952@postoffice.reston.mci.net>".utf8)
    private let secret = Array("tanstaaftanstaaf".utf8)
    private let digest = Array("b913a602c7eda7a495b4e6e7334d3890".utf8)

    /// RFC 2195, section 2.
    @Test func publishedExample() {
        #expect(
            cramMD5Matches(
                challenge: self.challenge,
                secret: self.secret,
                digest: self.digest
            )
        )
    }

    @Test func anythingElseIsWrong() {
        let others = [
            [], Array(self.digest.dropLast()), self.digest + [0x30], Array(self.digest.reversed()),
            Array("B913A602C7EDA7A495B4E6E7334D3890".utf8),
        ]
        for digest in others {
            #expect(
                !cramMD5Matches(challenge: self.challenge, secret: self.secret, digest: digest)
            )
        }
        let other = self.challenge + [0x20]
        #expect(!cramMD5Matches(challenge: other, secret: self.secret, digest: self.digest))
        #expect(!cramMD5Matches(challenge: self.challenge, secret: [], digest: self.digest))
    }
}
