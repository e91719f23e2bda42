// SPDX-License-Identifier: Apache-2.0
//
// The response texts in German.

extension POP3Reply {
    /// The text in German.
    var german: StaticString {
        switch self {
        case .ready: "POP3-Server bereit"
        case .nameTaken: "bitte PASS senden"
        case .maildropHas: "das Postfach enthält"
        case .messageDeleted: "Nachricht gelöscht"
        case .nothingDone: "nichts getan"
        case .uniqueIDsFollow: "Liste der Kennungen folgt"
        case .topFollows: "Anfang der Nachricht folgt"
        case .capabilitiesFollow: "Liste der Fähigkeiten folgt"
        case .utf8On: "UTF-8 eingeschaltet"
        case .languagesFollow: "Liste der Sprachen folgt"
        case .languageSelected: "Sprache gewechselt"
        case .mechanismsFollow: "Liste der Anmeldemechanismen folgt"
        case .beginTLS: "bitte TLS beginnen"
        case .clientAdopted: "Adresse des Clients übernommen"
        case .signingOff: "POP3-Server verabschiedet sich"
        case .earlyTalk: "der Server spricht zuerst"
        case .foreignProtocol: "dies ist ein POP3-Server"
        case .unknownCommand: "unbekannter Befehl"
        case .syntax: "Syntax:"
        case .octetsNotAllowed: "NUL und CR haben in einem Befehl nichts verloren"
        case .lineTooLong: "Befehlszeile zu lang"
        case .loginFirst: "bitte zuerst anmelden"
        case .alreadyLoggedIn: "bereits angemeldet"
        case .userFirst: "bitte zuerst USER senden"
        case .plaintextRefused: "ohne Verschlüsselung werden keine Passwörter angenommen"
        case .apopNotOffered: "APOP wird hier nicht angeboten"
        case .tlsNotOffered: "TLS wird hier nicht angeboten"
        case .tlsActive: "die Verbindung ist bereits verschlüsselt"
        case .clientRefused: "dieser Client wird nicht eingelassen"
        case .noMechanism: "diesen Anmeldemechanismus gibt es nicht"
        case .authenticationFailed: "Anmeldung fehlgeschlagen"
        case .authenticationCancelled: "Anmeldung abgebrochen"
        case .responseMalformed: "das ist keine Antwort des Mechanismus in base64"
        case .notUTF8: "Name oder Passwort ist kein zulässiges UTF-8"
        case .loginRefused: "Benutzername oder Passwort ungültig"
        case .maildropLocked: "eine andere Sitzung benutzt das Postfach"
        case .loginDelayed: "zu früh nach der letzten Anmeldung"
        case .loginThrottled: "zu viele Fehlanmeldungen, bitte später erneut versuchen"
        case .temporaryFailure: "vorübergehender Fehler, bitte später erneut versuchen"
        case .noSuchMessage: "diese Nachricht gibt es nicht"
        case .alreadyDeleted: "Nachricht bereits gelöscht"
        case .contentMissing: "die Nachricht ist nicht mehr da"
        case .deletionsFailed: "einige gelöschte Nachrichten wurden nicht entfernt"
        case .languageUnknown: "diese Sprache wird nicht unterstützt"
        case .tooManyErrors: "zu viele Fehler"
        case .tooManyCommands: "zu viele Befehle"
        case .goingDown: "der Server wird beendet, bitte später erneut versuchen"
        }
    }
}
