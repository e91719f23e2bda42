// SPDX-License-Identifier: Apache-2.0

/// Why the store did not do what it was asked; never a partial success.
package enum StoreError: Error, Hashable, Sendable {
    /// There is no room on the disk, or less than is kept in reserve.
    case full
    /// Something went wrong that may be right the next time: a failed sync, an unreadable page.
    case retryable(String)
    /// What was asked for is not there any more.
    case gone
    /// The maildrop has been made anew since it was opened.
    case fenced
    /// The maildrop cannot take the message.
    case overQuota
    /// There is an account or alias of that address already.
    case exists
    /// There is no such account or alias.
    case notFound
    /// The aliases would lead in a circle.
    case aliasLoop
    /// Another process has the store.
    case inUse(String)
    /// The file is not a store, or of a newer version than this program knows.
    case foreign(String)
}
