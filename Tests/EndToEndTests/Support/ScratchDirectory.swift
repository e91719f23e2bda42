// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A directory that goes away, with all it holds, together with its owner.
final class ScratchDirectory {
    let url: URL

    var path: String { self.url.path }

    init() throws {
        // Short, because the path of the control socket must fit into a socket address.
        self.url = FileManager.default.temporaryDirectory
            .appending(
                path: "martlet-\(UInt32.random(in: .min ... .max))",
                directoryHint: .isDirectory
            )
        try FileManager.default.createDirectory(at: self.url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: self.url) }

    /// A file in the directory, made with this content.
    func file(_ name: String, holding content: Data = Data()) throws -> ScratchFile {
        let url = self.url.appending(path: name)
        try content.write(to: url)
        return ScratchFile(url: url, directory: self)
    }
}

/// A file that lives as long as somebody holds it.
struct ScratchFile {
    let url: URL
    private let directory: ScratchDirectory

    init(url: URL, directory: ScratchDirectory) {
        self.url = url
        self.directory = directory
    }

    var path: String { self.url.path }

    func read() throws -> Data { try Data(contentsOf: self.url) }

    func readingHandle() throws -> FileHandle { try FileHandle(forReadingFrom: self.url) }

    func writingHandle() throws -> FileHandle { try FileHandle(forWritingTo: self.url) }
}
