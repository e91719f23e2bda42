// SPDX-License-Identifier: Apache-2.0
//
// What MAIL asks for beside its path, as far as the answers do not depend on it.

internal import MailSyntax

extension SMTPServerSession {
    /// The parameters of MAIL that are for who carries the message on.
    struct Requests: Equatable, BitwiseCopyable {
        var body = BodyType.sevenBit
        var returnedContent = ReturnedContent.unspecified
        var requiresTLS = false

        init() {}

        init(_ parameters: MailParameters) {
            self.body = parameters.body ?? .sevenBit
            self.returnedContent = parameters.returnedContent
            self.requiresTLS = parameters.requiresTLS
        }
    }
}
