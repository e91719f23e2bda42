// SPDX-License-Identifier: Apache-2.0
//
// libFuzzer's entry for the POP3 session: a maildrop of three messages behind it. Properties: no
// trap, no more consumed than given, progress or patience, bounded output.

import MailBytes
import POP3Protocol

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPOP3(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 2 else { return 0 }
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    let settings = POP3ServerSettings(
        hostname: Array("fuzz.example.test".utf8),
        offersAPOP: true,
        permitsPlaintext: true
    )
    let segment = Int(input[0]) + 1
    var session = POP3ServerSession(settings: settings)
    var replies = ReplyBuffer()
    var step = session.reduce(.accepted(earlyTalk: false, nonce: 1, clock: 2), into: &replies)
    var buffered: [UInt8] = []
    var next = 2
    var answers = Int(input[1])
    var patience = 0
    let content = Array("Subject: x\r\n\r\n.\r\n..\r\nlast line without end".utf8)
    while step.effect != .close {
        precondition(replies.count < 1 << 20, "the output of one turn is bounded")
        replies.removeAll()
        switch step.effect {
        case .logIn:
            answers += 1
            step = session.reduce(
                .answered(answers % 4 == 0 ? .loginRefused : .loggedIn(messages: 3, octets: 300)),
                into: &replies
            )
            continue
        case .listMaildrop:
            let listing = MaildropListing(
                incarnation: 9,
                sequences: [1, 2, 5],
                octets: [100, 100, 100]
            )
            step = session.reduce(.listed(listing), into: &replies)
            continue
        case .readContent(_, let offset):
            let rest = content.span.extracting(min(offset, content.count)...)
            let part = rest.extracting(..<min(rest.count, 1 + answers % 20))
            step = session.reduce(
                .contentRead(part, isLast: part.count == rest.count),
                into: &replies
            )
            continue
        case .commitDeletions:
            step = session.reduce(.answered(.deletionsCommitted), into: &replies)
            continue
        case .awaitInput:
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
