// SPDX-License-Identifier: Apache-2.0
//
// What holds for the headers of proxies, whatever the octets.

import MailBytes
import Server

/// Reads the input as the beginning of a connection from a proxy.
public enum PROXYProperty {
    /// Throws when a property does not hold.
    public static func check(_ input: [UInt8]) throws(BrokenProperty) {
        let whole = PROXYHeader.read(input.span)
        switch whole {
        case .wants(let count):
            try require(count > 0, "a header that is not whole wants more")
        case .complete(_, let octets):
            try require((15...input.count).contains(octets), "a header is among the octets")
            try self.checkPrefixes(of: input, headerOctets: octets)
        case .malformed:
            break
        }
        try self.checkExactReading(of: input, whole)
    }

    /// No part of a header is a header, and none wants more than there is of it.
    private static func checkPrefixes(
        of input: [UInt8],
        headerOctets: Int
    ) throws(BrokenProperty) {
        for count in 0..<headerOctets {
            guard case .wants(let more) = PROXYHeader.read(input.span.extracting(0..<count)) else {
                throw BrokenProperty(description: "a part of a header is one that is not whole")
            }
            try require(more > 0 && count + more <= headerOctets, "no more than the header")
        }
    }

    /// Taking what is wanted ends where the header ends.
    private static func checkExactReading(
        of input: [UInt8],
        _ whole: PROXYHeader.Reading
    ) throws(BrokenProperty) {
        var taken = 0
        for _ in 0...input.count {
            switch PROXYHeader.read(input.span.extracting(0..<taken)) {
            case .wants(let more):
                taken += more
                guard taken <= input.count else {
                    if case .complete = whole {
                        throw BrokenProperty(description: "a header is found")
                    }
                    return
                }
            case .complete(let header, let octets):
                try require(octets == taken, "exactly the header is taken")
                try require(whole == .complete(header, octets: octets), "what follows is nothing")
                return
            case .malformed:
                if case .complete = whole {
                    throw BrokenProperty(description: "a header is not malformed")
                }
                return
            }
        }
        throw BrokenProperty(description: "a header comes to its end")
    }
}
