// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Configuration

@Suite struct KeySuggestionTests {
    @Test(arguments: [
        ("", "", 0), ("abc", "abc", 0), ("abc", "", 3), ("", "abc", 3), ("abc", "abd", 1),
        ("abc", "acb", 1), ("abc", "ab", 1), ("abc", "xabc", 1), ("kitten", "sitting", 3),
    ])
    func distances(first: String, second: String, expected: Int) {
        #expect(KeySuggestion.distance(Array(first.utf8), Array(second.utf8)) == expected)
    }

    @Test func theNearestIsNamedUnlessItIsFar() {
        let names = ["level", "format", "message-octets", "idle-seconds"]
        #expect(KeySuggestion.nearest(to: "levle", among: names) == "level")
        #expect(KeySuggestion.nearest(to: "idle_second", among: names) == "idle-seconds")
        #expect(KeySuggestion.nearest(to: "mess", among: names) == "message-octets")
        #expect(KeySuggestion.nearest(to: "me", among: names) == nil)
        #expect(KeySuggestion.nearest(to: "colour", among: names) == nil)
        #expect(KeySuggestion.nearest(to: "", among: names) == nil)
        #expect(KeySuggestion.nearest(to: String(repeating: "x", count: 9999), among: names) == nil)
    }
}
