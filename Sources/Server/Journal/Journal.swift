// SPDX-License-Identifier: Apache-2.0
//
// The events that an operator wants to read, as structured log lines with the session's id on
// each. Neither passwords nor content ever come here.

package import EventLoop
package import Logging
internal import MailBytes
internal import MailStore
internal import MailSyntax

/// What the server tells of its work.
package struct Journal {
    package let logger: Logger

    package init(logger: Logger) {
        self.logger = logger
    }

    func sessionBegan(_ stream: any ByteStream, _ service: ServiceProfile.Service) {
        self.logger.debug(
            "session began",
            metadata: self.session(stream, ["service": .string(service.rawValue)])
        )
    }

    func sessionEnded(_ stream: any ByteStream) {
        self.logger.debug("session ended", metadata: self.session(stream))
    }

    func connectionRefused(_ stream: any ByteStream, _ service: ServiceProfile.Service) {
        self.logger.notice(
            "connection refused: too many",
            metadata: self.session(stream, ["service": .string(service.rawValue)])
        )
    }

    func messageStored(
        _ id: MessageID,
        octets: Int,
        reversePath: String,
        recipients: Int,
        stream: any ByteStream
    ) {
        self.logger.info(
            "message stored",
            metadata: self.session(
                stream,
                [
                    "id": .string(id.text),
                    "octets": .stringConvertible(octets),
                    "from": .string("<\(reversePath)>"),
                    "recipients": .stringConvertible(recipients),
                ]
            )
        )
    }

    func messageRefused(_ reason: String, recipients: Int, stream: any ByteStream) {
        self.logger.warning(
            "message not stored",
            metadata: self.session(
                stream,
                ["reason": .string(reason), "recipients": .stringConvertible(recipients)]
            )
        )
    }

    func loggedIn(_ name: String, _ head: MaildropHead, stream: any ByteStream) {
        self.logger.info(
            "maildrop opened",
            metadata: self.session(
                stream,
                [
                    "user": .string(name),
                    "messages": .stringConvertible(head.count),
                    "octets": .stringConvertible(head.octets),
                ]
            )
        )
    }

    func loginFailed(_ name: String, stream: any ByteStream) {
        self.logger.notice("login failed", metadata: self.session(stream, ["user": .string(name)]))
    }

    /// Failed logins and refusals are told with the peer's address; every line has the session's.
    private func session(
        _ stream: any ByteStream,
        _ more: Logger.Metadata = [:]
    ) -> Logger.Metadata {
        var metadata = more
        metadata["session"] = .string(String(stream.id.rawValue, radix: 36))
        metadata["peer"] = .string(stream.peer.host)
        return metadata
    }
}
