// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
@testable import MailStore
import MailSyntax
import Testing

@Suite("The data directory")
struct StoreDirectoryTests {
    @Test("A second process is refused and told who has the store")
    func locked() throws {
        let store = try SQLiteStore()
        do throws(StoreError) {
            _ = try MailStore(directory: store.directory.path, options: .small)
            Issue.record("the store was opened twice")
        } catch .inUse(let sentence) {
            #expect(sentence.contains("\(getpid())"))
            #expect(sentence.contains(store.directory.path))
        } catch {
            Issue.record("\(error)")
        }
        store.closeInOrder()
        _ = try MailStore(directory: store.directory.path, options: .small)
    }

    @Test("Directory and files are closed to others, whatever the umask")
    func modes() throws {
        let parent = TemporaryDirectory()
        let path = "\(parent.path)/data"
        let mask = umask(0)
        defer { umask(mask) }
        var options = MailStore.Options()
        options.reserveOctets = 1 << 16
        let store = try MailStore(directory: path, options: options)
        _ = store.commit([.reserveMessageIDs(count: 1)])
        #expect(parent.mode(of: "data") == 0o700)
        for name in ["mail.sqlite", "mail.sqlite-wal", "mail.sqlite-shm", "lock", "reserve"] {
            #expect(parent.mode(of: "data/\(name)") == 0o600, "\(name)")
        }
    }

    @Test("A file that others may read is closed to them")
    func looseMode() throws {
        let directory = TemporaryDirectory()
        let path = "\(directory.path)/mail.sqlite"
        _ = FileManager.default.createFile(
            atPath: path,
            contents: nil,
            attributes: [.posixPermissions: 0o644]
        )
        _ = try MailStore(directory: directory.path, options: .small)
        #expect(directory.mode(of: "mail.sqlite") == 0o600)
    }

    @Test("What is no store is left alone")
    func foreign() throws {
        let directory = TemporaryDirectory()
        let path = "\(directory.path)/mail.sqlite"
        let text = Data(repeating: 0x41, count: 10_000)
        _ = FileManager.default.createFile(atPath: path, contents: text)
        #expect(throws: StoreError.self) {
            _ = try MailStore(directory: directory.path, options: .small)
        }
        #expect(FileManager.default.contents(atPath: path) == text)
    }

    @Test("A database of somebody else is left alone")
    func foreignDatabase() throws {
        let directory = TemporaryDirectory()
        let path = "\(directory.path)/mail.sqlite"
        do {
            let database = try Database(path: path, readOnly: false, vfs: nil)
            try database.execute("CREATE TABLE account (name TEXT)")
        }
        do throws(StoreError) {
            _ = try MailStore(directory: directory.path, options: .small)
            Issue.record("it was taken for a store")
        } catch .foreign {
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test("A newer layout is left alone")
    func newerLayout() throws {
        let directory = TemporaryDirectory()
        do { _ = try MailStore(directory: directory.path, options: .small) }
        do {
            let path = StoreDirectory.database(in: directory.path)
            let database = try Database(path: path, readOnly: false, vfs: nil)
            try database.execute("PRAGMA user_version = \(Schema.version + 1)")
        }
        do throws(StoreError) {
            _ = try MailStore(directory: directory.path, options: .small)
            Issue.record("a newer store was opened")
        } catch .foreign(let sentence) {
            #expect(sentence.contains("layout \(Schema.version + 1)"))
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test("A directory that cannot be made is said so")
    func noParent() {
        do throws(StoreError) {
            _ = try MailStore(directory: "/nonexistent/a/b", options: .small)
            Issue.record("it was made")
        } catch .retryable(let sentence) {
            #expect(sentence.contains("cannot make /nonexistent/a/b"))
        } catch {
            Issue.record("\(error)")
        }
    }
}
