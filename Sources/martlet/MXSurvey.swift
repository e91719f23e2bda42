// SPDX-License-Identifier: Apache-2.0
//
// What the domain name system says of a domain's mail, and what delivery makes of it.

internal import DNSProtocol
internal import Delivery

/// The three lists and the order.
struct MXSurvey {
    /// A record and whether the answer itself held it.
    struct Row: Hashable {
        let record: DNSRecord
        let isLookedUp: Bool
    }

    let domain: String
    /// Of the question for MX; nil where nothing was asked, as for a literal.
    var answer: DNSAnswer?
    var answers: [Row] = []
    var authority: [Row] = []
    var additional: [Row] = []
    /// What was found and decided, in sentences.
    var explanation: [String] = []
    var outcome: RouteOutcome

    /// How the command ends; nil when there is somebody who takes the mail.
    var exit: Complaint? {
        guard case .failure(let failure) = self.outcome else { return nil }
        let code: SysExit =
            switch failure.reason {
            case _ where !failure.isPermanent: .temporaryFailure
            case .noSuchDomain: .noHost
            default: .unavailable
            }
        return Complaint(code, failure.text)
    }
}
