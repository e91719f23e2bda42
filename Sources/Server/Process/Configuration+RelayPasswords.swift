// SPDX-License-Identifier: Apache-2.0
//
// The passwords that are shown to relays, from the files that the configuration names.

package import Configuration
internal import Credentials

extension Configuration {
    /// Every login at a relay, with the key that names its file.
    private var relayLogins: [(key: String, credentials: RelayCredentials)] {
        var logins: [(String, RelayCredentials)] = []
        for (index, route) in self.routes.enumerated() {
            guard case .relay(let relay) = route.target, let credentials = relay.credentials else {
                continue
            }
            logins.append(("route[\(index)].password-file", credentials))
        }
        if let credentials = self.delivery.fallbackRelay?.credentials {
            logins.append(("delivery.fallback-password-file", credentials))
        }
        return logins
    }

    /// The passwords by the path of their files, and a sentence for each that cannot be had.
    package func relayPasswords() -> (passwords: [String: [UInt8]], errors: [String]) {
        var passwords: [String: [UInt8]] = [:]
        var errors: [String] = []
        for (key, credentials) in self.relayLogins {
            let path = credentials.passwordPath
            do throws(PasswordFile.Failure) {
                passwords[path] = try PasswordFile.read(path)
            } catch {
                errors.append("\(key): \(path) \(error.sentence)")
            }
        }
        return (passwords, errors)
    }
}

extension PasswordFile.Failure {
    fileprivate var sentence: String {
        switch self {
        case .unreadable(let code):
            "cannot be read (errno \(code)); it must be there and readable by the server"
        case .openToOthers: "is open to others than its owner and group; chmod 600 closes it"
        case .malformed: "has no password in its first line"
        }
    }
}
