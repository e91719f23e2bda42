// SPDX-License-Identifier: Apache-2.0
//
// Enhanced status codes (RFC 3463): class, subject and detail.

/// One status, such as 5.1.1.
public struct EnhancedStatus: Hashable, BitwiseCopyable, Sendable {
    /// 2: success; 4: a failure that may pass; 5: one that will not.
    public let statusClass: UInt8
    /// What it is about: addressing, mailbox, system, network, protocol, content, policy.
    public let subject: UInt16
    /// Up to 999.
    public let detail: UInt16

    /// A status from its three numbers.
    public init(_ statusClass: UInt8, _ subject: UInt16, _ detail: UInt16) {
        self.statusClass = statusClass
        self.subject = subject
        self.detail = detail
    }
}

extension EnhancedStatus: CustomStringConvertible {
    /// The three numbers with dots between them.
    public var description: String { "\(self.statusClass).\(self.subject).\(self.detail)" }
}
