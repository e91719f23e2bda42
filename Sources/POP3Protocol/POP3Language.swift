// SPDX-License-Identifier: Apache-2.0
//
// The languages of the response texts: what LANG lists and selects (RFC 6856, section 3). Only the
// text for people changes; status indicators, response codes and numbers never do.

/// A language that response texts are written in.
public enum POP3Language: CaseIterable, Equatable, BitwiseCopyable, Sendable {
    /// English for everybody, in ASCII: what a session starts with (RFC 2277, section 4.5).
    case standard
    /// English.
    case english
    /// German.
    case german
    /// French.
    case french

    /// All of them, as they are listed.
    static let all: [POP3Language] = [.english, .german, .french, .standard]

    /// The language tag of BCP 47, as LANG lists it.
    public var tag: StaticString {
        switch self {
        case .standard: "i-default"
        case .english: "en"
        case .german: "de"
        case .french: "fr"
        }
    }

    /// What the language calls itself.
    var name: StaticString {
        switch self {
        case .standard: "Default language"
        case .english: "English"
        case .german: "Deutsch"
        case .french: "Français"
        }
    }
}

extension POP3Language {
    /// The word for so many messages.
    func messages(_ count: Int) -> StaticString {
        switch self {
        case .standard, .english: count == 1 ? "message" : "messages"
        case .german: count == 1 ? "Nachricht" : "Nachrichten"
        case .french: count < 2 ? "message" : "messages"
        }
    }

    /// The word for so many octets.
    func octets(_ count: Int) -> StaticString {
        switch self {
        case .standard, .english: count == 1 ? "octet" : "octets"
        case .german: count == 1 ? "Oktett" : "Oktette"
        case .french: count < 2 ? "octet" : "octets"
        }
    }
}
