// SPDX-License-Identifier: Apache-2.0
//
// Every transcript of the client's side, replayed line by line, octet by octet, and with all that
// the server says in a row at once, with the same result.

import Foundation
import MailBytes
import SASL
import SMTPProtocol
import Testing
import TranscriptSupport

@Suite struct ClientTranscriptTests {
    enum Segmentation: CaseIterable {
        case lines
        case octets
        case rows
    }

    @Test(arguments: Transcript.ofSMTPClient, Segmentation.allCases)
    func replay(transcript: Transcript, segmentation: Segmentation) {
        let replay = ClientReplay(transcript.clientSettings, options: transcript.options)
        var expected: [String] = []
        var row: [UInt8] = []
        for item in transcript.items {
            if case .input(let octets) = item {
                switch segmentation {
                case .lines: replay.feed(octets)
                case .octets: for octet in octets { replay.feed([octet]) }
                case .rows: row += octets
                }
                continue
            }
            if !row.isEmpty { replay.feed(row) }
            row = []
            switch item {
            case .expected(let line): expected.append(line)
            case .answer(let text):
                #expect(replay.trace == expected, "\nwas:\n\(replay.text)")
                replay.answer(text)
            case .event(let text):
                #expect(replay.trace == expected, "\nwas:\n\(replay.text)")
                replay.happen(text)
            case .input: break
            }
        }
        #expect(replay.trace == expected, "\nwas:\n\(replay.text)")
        #expect(replay.isClosed, "a transcript goes on to the end of the session")
    }

    @Test func thereAreEnough() {
        #expect(Transcript.ofSMTPClient.count >= 50)
    }
}

extension ClientReplay {
    fileprivate var text: String { self.trace.joined(separator: "\n") }
}

extension Transcript {
    static let ofSMTPClient = Transcript.all(
        in: Bundle.module.bundleURL.appendingPathComponent("ClientTranscripts"),
        ofClient: true
    )

    /// The settings that the options ask for.
    var clientSettings: SMTPClientSettings {
        let mechanisms = SASLMechanism.allCases.filter { self.options["\($0)"] != nil }
        return SMTPClientSettings(
            clientName: Array("client.example".utf8),
            dialect: self.options["lmtp"] != nil ? .lmtp : .smtp,
            tls: self.options["tls-required"] != nil
                ? .required : self.options["tls-never"] != nil ? .never : .whenOffered,
            mechanisms: mechanisms.reduce(into: []) { $0.insert(SASLMechanismSet($1)) },
            permitsPlaintextAuth: self.options["plaintext"] != nil,
            pipelines: self.options["one-by-one"] == nil,
            chunkOctetsMax: self.options["chunk"] ?? 0,
            pipelinedCommandsMax: self.options["pipelined"] ?? 200,
            recipientsMax: self.options["recipients"] ?? 1000,
            replyLineOctetsMax: self.options["line"] ?? 4096,
            replyLinesMax: self.options["lines"] ?? 100,
            replyOctetsMax: self.options["octets"] ?? 16384
        )
    }
}
