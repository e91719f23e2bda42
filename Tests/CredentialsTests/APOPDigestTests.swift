// SPDX-License-Identifier: Apache-2.0

import Credentials
import Testing

@Suite struct APOPDigestTests {
    private let timestamp = Array("<1896.697170952@dbc.mtview.ca.us>".utf8)
    private let secret = Array("tanstaaf".utf8)
    private let digest = Array("c4c9334bac560ecc979e58001b3e22fb".utf8)

    private func matches(_ timestamp: [UInt8], _ secret: [UInt8], _ digest: [UInt8]) -> Bool {
        apopDigestMatches(timestamp: timestamp, secret: secret, digest: digest)
    }

    /// The example of RFC 1939, section 7.
    @Test func thePublishedExampleMatches() {
        #expect(self.matches(self.timestamp, self.secret, self.digest))
    }

    @Test func nothingElseDoes() {
        #expect(!self.matches(self.timestamp, Array("tanstaaF".utf8), self.digest))
        #expect(!self.matches(Array("<1896>".utf8), self.secret, self.digest))
        #expect(!self.matches(self.timestamp, [], self.digest))
        #expect(!self.matches(self.timestamp, self.secret, []))
        #expect(!self.matches(self.timestamp, self.secret, self.digest + [0x30]))
        #expect(!self.matches(self.timestamp, self.secret, Array(self.digest.dropLast())))
        for index in self.digest.indices {
            var other = self.digest
            other[index] = other[index] == 0x30 ? 0x31 : 0x30
            #expect(!self.matches(self.timestamp, self.secret, other))
        }
    }
}
