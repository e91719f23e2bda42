// SPDX-License-Identifier: Apache-2.0
//
// The response texts in French.

extension POP3Reply {
    /// The text in French.
    var french: StaticString {
        switch self {
        case .ready: "serveur POP3 prêt"
        case .nameTaken: "envoyez PASS"
        case .maildropHas: "la boîte contient"
        case .messageDeleted: "message supprimé"
        case .nothingDone: "rien n'a été fait"
        case .uniqueIDsFollow: "la liste des identifiants suit"
        case .topFollows: "le début du message suit"
        case .capabilitiesFollow: "la liste des capacités suit"
        case .utf8On: "UTF-8 activé"
        case .languagesFollow: "la liste des langues suit"
        case .languageSelected: "langue changée"
        case .mechanismsFollow: "la liste des mécanismes suit"
        case .beginTLS: "commencez la négociation TLS"
        case .clientAdopted: "adresse du client mise à jour"
        case .signingOff: "au revoir"
        case .earlyTalk: "le serveur parle en premier"
        case .foreignProtocol: "ceci est un serveur POP3"
        case .unknownCommand: "commande inconnue"
        case .syntax: "syntaxe :"
        case .octetsNotAllowed: "NUL et CR sont interdits dans une commande"
        case .lineTooLong: "ligne de commande trop longue"
        case .loginFirst: "identifiez-vous d'abord"
        case .alreadyLoggedIn: "vous êtes déjà identifié"
        case .userFirst: "envoyez d'abord USER"
        case .plaintextRefused: "les mots de passe sont refusés sans chiffrement"
        case .apopNotOffered: "APOP n'est pas proposé ici"
        case .tlsNotOffered: "TLS n'est pas proposé ici"
        case .tlsActive: "la connexion est déjà chiffrée"
        case .clientRefused: "ce client n'est pas admis"
        case .noMechanism: "mécanisme d'authentification inconnu"
        case .authenticationFailed: "échec de l'authentification"
        case .authenticationCancelled: "authentification annulée"
        case .responseMalformed: "ce n'est pas une réponse du mécanisme en base64"
        case .notUTF8: "le nom ou le mot de passe n'est pas en UTF-8 admissible"
        case .loginRefused: "nom d'utilisateur ou mot de passe incorrect"
        case .maildropLocked: "la boîte est utilisée par une autre session"
        case .loginDelayed: "trop tôt après la dernière connexion"
        case .loginThrottled: "trop de connexions refusées, réessayez plus tard"
        case .temporaryFailure: "erreur temporaire, réessayez plus tard"
        case .noSuchMessage: "ce message n'existe pas"
        case .alreadyDeleted: "message déjà supprimé"
        case .contentMissing: "le message n'existe plus"
        case .deletionsFailed: "certains messages supprimés n'ont pas été retirés"
        case .languageUnknown: "cette langue n'est pas prise en charge"
        case .tooManyErrors: "trop d'erreurs"
        case .tooManyCommands: "trop de commandes"
        case .goingDown: "le serveur s'arrête, réessayez plus tard"
        }
    }
}
