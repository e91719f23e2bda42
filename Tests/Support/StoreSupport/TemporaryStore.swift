// SPDX-License-Identifier: Apache-2.0
//
// A store for tests that do not care for the disk.

import Foundation
package import MailStore

/// A store that is removed with this object; in memory where the system has a place for that.
package final class TemporaryStore {
    package let store: MailStore
    package let reader: MailStoreReader
    private let path: String

    package init() throws {
        let memory = "/dev/shm"
        let isThere = FileManager.default.isWritableFile(atPath: memory)
        let parent = isThere ? memory : NSTemporaryDirectory()
        self.path = "\(parent)/martlet-test-\(UUID().uuidString)"
        var options = MailStore.Options()
        options.reserveOctets = 0
        self.store = try MailStore(directory: self.path, options: options)
        self.reader = try MailStoreReader(directory: self.path)
    }

    deinit {
        self.store.close()
        try? FileManager.default.removeItem(atPath: self.path)
    }
}
