// SPDX-License-Identifier: Apache-2.0

/// Certificates, keys and rules, as one set that never changes: a reload makes a new one, and the
/// streams that have the old one keep it.
package final class TLSService {
    package init(_ options: TLSOptions) throws(TLSError) {}
}
