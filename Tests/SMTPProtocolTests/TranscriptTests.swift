// SPDX-License-Identifier: Apache-2.0
//
// Every transcript, replayed line by line, octet by octet and pipelined, with the same result.

import Foundation
import MailBytes
import SASL
import SMTPProtocol
import Testing
import TranscriptSupport

@Suite struct TranscriptTests {
    @Test(arguments: Transcript.ofSMTP, Segmentation.allCases)
    func replay(transcript: Transcript, segmentation: Segmentation) {
        let peer =
            transcript.options["ipv6"] != nil
            ? NetworkAddress(ipv6: 0x2001_0db8_0000_0000, 1, port: 4321)
            : transcript.options["unix"] != nil
                ? NetworkAddress.unix : NetworkAddress(ipv4: 0xc000_0207, port: 4321)
        let replay = Replay(transcript.settings, peer: peer, options: transcript.options)
        transcript.replay(on: replay, segmentation) { trace, expected in
            #expect(trace == expected, "\nwas:\n\(trace.joined(separator: "\n"))")
        }
        #expect(replay.isClosed, "a transcript goes on to the end of the session")
    }

    @Test func thereAreEnough() {
        #expect(Transcript.ofSMTP.count >= 90)
    }
}

extension Transcript {
    static let ofSMTP = Transcript.all(
        in: Bundle.module.bundleURL.appendingPathComponent("Transcripts")
    )

    /// The settings that the options ask for; small where nothing is said.
    var settings: SMTPServerSettings {
        SMTPServerSettings(
            hostname: Array("mail.example".utf8),
            dialect: self.options["lmtp"] != nil ? .lmtp : .smtp,
            lineEndings: self.options["normalise"] != nil ? .normalise : .refuse,
            messageOctetsMax: self.options["size"] ?? 1000,
            recipientsMax: self.options["recipients"] ?? 100,
            transactionsMax: self.options["transactions"] ?? 50,
            commandOctetsMax: self.options["line"] ?? 512,
            skippedOctetsMax: self.options["skip"] ?? 2000,
            errorsMax: self.options["errors"] ?? 20,
            commandsMax: self.options["commands"] ?? 1000,
            loginFailuresMax: self.options["logins"] ?? 5,
            receivedFieldsMax: self.options["received"] ?? 100,
            answersVRFY: self.options["vrfy"] != nil,
            answersEXPN: self.options["expn"] != nil,
            acceptsSOML: self.options["soml"] != nil,
            offersSTARTTLS: self.options["starttls"] != nil,
            mechanisms: self.mechanisms,
            permitsPlaintextAuth: self.options["plaintext"] != nil,
            requiresAuthentication: self.options["required"] != nil,
            purpose: self.purpose,
            offersETRN: self.options["etrn"] != nil,
            checksAuthors: self.options["authors"] != nil,
            addsMissingFields: self.options["fields"] != nil,
            hidesClientAddress: self.options["hide"] != nil,
            acceptsXCLIENTLogin: self.options["xclient-login"] != nil
        )
    }

    private var purpose: SMTPServerSettings.Purpose {
        guard self.options["fetching"] == nil else { return .fetching }
        return self.options["submission"] != nil ? .submission : .relaying
    }

    /// All for `auth`, else those whose names are options.
    private var mechanisms: SASLMechanismSet {
        guard self.options["auth"] == nil else { return .all }
        return SASLMechanism.allCases.reduce(into: []) { mechanisms, mechanism in
            if self.options["\(mechanism)"] != nil {
                mechanisms.insert(SASLMechanismSet(mechanism))
            }
        }
    }
}
