// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer's entry for the SMTP session. The first octet chooses dialect and line-ending policy;
// each later octet below 0x10 that follows a 0xff sets how the next segment is cut. Properties: no
// trap, no more consumed than given, progress or patience, bounded output.

import MailBytes
import MailSyntax
import SMTPProtocol

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSMTP(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 2 else { return 0 }
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    let settings = SMTPServerSettings(
        hostname: Array("fuzz.example.test".utf8),
        dialect: input[0] & 1 == 0 ? .smtp : .lmtp,
        lineEndings: input[0] & 2 == 0 ? .refuse : .normalise
    )
    let segment = Int(input[1]) + 1
    var session = SMTPServerSession(
        settings: settings,
        peer: NetworkAddress(ipv4: 0x7f00_0001, port: 1)
    )
    var replies = ReplyBuffer()
    var step = session.reduce(.accepted(earlyTalk: false), into: &replies)
    var buffered: [UInt8] = []
    var next = 2
    var answers = Int(input[1])
    var patience = 0
    while step.effect != .close {
        precondition(replies.count < 1 << 20, "the output of one turn is bounded")
        replies.removeAll()
        switch step.effect {
        case .verifyRecipient, .verifyMailbox, .expandList, .openMessage, .commitMessage:
            answers += 1
            let answer: SMTPServerSession.Answer =
                switch step.effect {
                case .openMessage:
                    answers % 7 == 0 ? .storeFull : .messageOpened(MessageID(rawValue: 7))
                case .commitMessage:
                    answers % 5 == 0
                        ? .commitFailed
                        : (settings.dialect == .lmtp ? .recipientCommitted : .committed)
                case .verifyMailbox, .expandList: .mailboxUnknown
                default: answers % 3 == 0 ? .recipientUnknown : .recipientAccepted
                }
            step = session.reduce(.answered(answer), into: &replies)
            continue
        case .awaitInput:
            guard session.awaiting != .answer else {
                // LMTP: further answers are due.
                step = session.reduce(.answered(.recipientCommitted), into: &replies)
                continue
            }
            guard next < input.count else { return 0 }
            let end = min(next + segment, input.count)
            buffered += input[next..<end]
            next = end
            patience = 0
        default:
            patience = step.consumed == 0 ? patience + 1 : 0
            precondition(patience < 64, "a session makes progress or waits")
        }
        step = session.reduce(.received(buffered.span), into: &replies)
        precondition(step.consumed >= 0 && step.consumed <= buffered.count)
        buffered.removeFirst(step.consumed)
    }
    return 0
}
