// SPDX-License-Identifier: Apache-2.0
//
// What the options of a transcript mean to a POP3 session.

import Foundation
import POP3Protocol
import SASL
import TranscriptSupport

extension Transcript {
    static let ofPOP3 = Transcript.all(
        in: Bundle.module.bundleURL.appendingPathComponent("Transcripts")
    )

    var settings: POP3ServerSettings {
        let languages: [POP3Language] = [.standard, .english, .german, .french]
        let longName = self.options["hostname"].map { [UInt8](repeating: 0x68, count: $0) }
        return POP3ServerSettings(
            hostname: longName ?? Array("mail.example".utf8),
            implementation: self.options["anonymous"] == nil ? Array("Martlet".utf8) : [],
            offersAPOP: self.options["apop"] != nil,
            mechanisms: self.mechanisms,
            offersSTLS: self.options["stls"] != nil,
            permitsPlaintext: self.options["no-plaintext"] == nil,
            acceptsUTF8Users: self.options["utf8-users"] != nil,
            expiry: self.options["no-expire"] != nil
                ? nil : self.options["expire"].map { .days($0) } ?? .never,
            loginDelaySeconds: self.options["login-delay"],
            preferredLanguage: languages[self.options["prefer"] ?? 1],
            commandOctetsMax: self.options["line"] ?? 255,
            skippedOctetsMax: self.options["skip"] ?? 65536,
            errorsMax: self.options["errors"] ?? 20,
            loginFailuresMax: self.options["login-failures"] ?? 5,
            commandsMax: self.options["commands"] ?? 1000
        )
    }

    /// Those that the options name; `sasl` names all.
    private var mechanisms: SASLMechanismSet {
        let named = SASLMechanism.allCases.filter {
            self.options[$0.name.description.lowercased()] != nil
        }
        return self.options["sasl"] != nil ? .all : SASLMechanismSet(named.map { .init($0) })
    }
}
