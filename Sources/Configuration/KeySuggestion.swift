// SPDX-License-Identifier: Apache-2.0
//
// Finds the name that somebody probably meant.

/// Likeness of names.
enum KeySuggestion {
    /// The candidate nearest to a name, unless none is near.
    static func nearest(to name: String, among candidates: [String]) -> String? {
        let letters = Array(name.utf8)
        // Nobody mistypes a name into one three times as long, and the work grows with the length.
        guard letters.count <= 64 else { return nil }
        var best: (candidate: String, distance: Int)?
        for candidate in candidates {
            // The beginning of a name is as good as the name with one mistake.
            let isBeginning = letters.count >= 3 && candidate.hasPrefix(name)
            let distance = isBeginning ? 1 : self.distance(letters, Array(candidate.utf8))
            if distance <= max(1, max(letters.count, candidate.utf8.count) / 3),
                distance < best?.distance ?? .max
            {
                best = (candidate, distance)
            }
        }
        return best?.candidate
    }

    /// How many letters must be put in, left out, replaced or swapped with their neighbour.
    static func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
        var before: [Int] = []
        var above = Array(0...second.count)
        for row in 0..<first.count {
            var current = [row + 1]
            for column in 0..<second.count {
                let isSame = first[row] == second[column]
                var least = min(above[column + 1], current[column]) + 1
                least = min(least, above[column] + (isSame ? 0 : 1))
                if row > 0, column > 0, first[row] == second[column - 1],
                    first[row - 1] == second[column]
                {
                    least = min(least, before[column - 1] + 1)
                }
                current.append(least)
            }
            before = above
            above = current
        }
        return above[second.count]
    }
}
