// SPDX-License-Identifier: Apache-2.0
//
// What an operator decides about POP3 sessions: names, capabilities and limits. One value serves
// all sessions of a listener.

public import SASL

/// The settings of a POP3 listener, shared by its sessions.
public final class POP3ServerSettings: Sendable {
    /// For how long messages are kept at least: the EXPIRE capability (RFC 2449, section 6.7).
    public enum Expiry: Equatable, Sendable {
        /// The server never deletes a message of its own accord.
        case never
        /// Messages may be deleted after so many days; 0 forbids leaving mail on the server.
        case days(Int)
    }

    /// The name in the greeting and in the APOP timestamp.
    public let hostname: [UInt8]
    /// The text of the IMPLEMENTATION capability; empty: not announced.
    public let implementation: [UInt8]
    /// Whether the greeting carries a timestamp and APOP is understood.
    public let offersAPOP: Bool
    /// The mechanisms of AUTH; a session announces those of them that can be used at present.
    public let mechanisms: SASLMechanismSet
    /// Whether STLS is understood, and announced until the channel is encrypted.
    public let offersSTLS: Bool
    /// Whether passwords may be sent without encryption; with it they always may.
    public let permitsPlaintext: Bool
    /// Whether names and passwords may be UTF-8 (`UTF8 USER`, RFC 6856, section 2).
    ///
    /// The reducer refuses what is not UTF-8; preparing the strings (SASLprep) is the part of
    /// whoever looks the account up. Without it, octets above 127 are passed on uninterpreted.
    public let acceptsUTF8Users: Bool
    /// What EXPIRE announces; nil: not announced.
    public let expiry: Expiry?
    /// The least time between two logins that LOGIN-DELAY announces; nil: not announced.
    public let loginDelaySeconds: Int?
    /// The language that `LANG *` selects.
    public let preferredLanguage: POP3Language
    /// The longest command line with its CRLF; RFC 2449, section 4, asks for 255 at least.
    public let commandOctetsMax: Int
    /// How many octets of one overlong line are skipped before the session ends.
    public let skippedOctetsMax: Int
    /// How many commands may be answered -ERR for a reason that is the client's.
    public let errorsMax: Int
    /// How many logins may fail.
    public let loginFailuresMax: Int
    /// How many commands a session may give.
    public let commandsMax: Int

    /// Settings with defaults for all but the name.
    public init(
        hostname: [UInt8],
        implementation: [UInt8] = Array("Martlet".utf8),
        offersAPOP: Bool = false,
        mechanisms: SASLMechanismSet = [],
        offersSTLS: Bool = false,
        permitsPlaintext: Bool = false,
        acceptsUTF8Users: Bool = false,
        expiry: Expiry? = .never,
        loginDelaySeconds: Int? = nil,
        preferredLanguage: POP3Language = .english,
        commandOctetsMax: Int = 2048,
        skippedOctetsMax: Int = 65536,
        errorsMax: Int = 20,
        loginFailuresMax: Int = 5,
        commandsMax: Int = 1_000_000
    ) {
        precondition(commandOctetsMax >= 255, "RFC 2449 asks for command lines of 255 octets")
        precondition(
            skippedOctetsMax > 0 && errorsMax > 0 && loginFailuresMax > 0 && commandsMax > 0,
            "a limit of nothing lets nobody in"
        )
        self.hostname = hostname
        self.implementation = implementation
        self.offersAPOP = offersAPOP
        self.mechanisms = mechanisms
        self.offersSTLS = offersSTLS
        self.permitsPlaintext = permitsPlaintext
        self.acceptsUTF8Users = acceptsUTF8Users
        self.expiry = expiry
        self.loginDelaySeconds = loginDelaySeconds
        self.preferredLanguage = preferredLanguage
        self.commandOctetsMax = commandOctetsMax
        self.skippedOctetsMax = skippedOctetsMax
        self.errorsMax = errorsMax
        self.loginFailuresMax = loginFailuresMax
        self.commandsMax = commandsMax
    }
}
