// SPDX-License-Identifier: Apache-2.0

/// The keys under which clients keep their sessions (RFC 5077; RFC 8446, section 4.6.1).
package final class TicketKeys {
    /// Keys kept in a file of mode 0600, or with nil only in memory; a new one after `hours`.
    package init(path: String?, hours: Double) throws(TLSError) {}
}
