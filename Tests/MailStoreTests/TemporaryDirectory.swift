// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A directory of its own for one test, in memory where the system has such a place.
final class TemporaryDirectory: Sendable {
    let path: String

    init() {
        let shared = "/dev/shm"
        let isThere = FileManager.default.isWritableFile(atPath: shared)
        let parent = isThere ? shared : NSTemporaryDirectory()
        self.path = "\(parent)/martlet-store-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(
            atPath: self.path,
            withIntermediateDirectories: true
        )
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    /// Removes everything in it.
    func empty() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: self.path)) ?? [] {
            try? FileManager.default.removeItem(atPath: "\(self.path)/\(name)")
        }
    }

    func mode(of name: String) -> Int? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: "\(self.path)/\(name)")
        return (attributes?[.posixPermissions] as? NSNumber)?.intValue
    }

    func size(of name: String) -> Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: "\(self.path)/\(name)")
        return (attributes?[.size] as? NSNumber)?.intValue ?? 0
    }
}
