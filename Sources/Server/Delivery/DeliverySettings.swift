// SPDX-License-Identifier: Apache-2.0
//
// What of the configuration concerns mail on its way out, in the form it is used.

package import Delivery
package import MailBytes

/// The settings of a `DeliveryEngine`.
package struct DeliverySettings {
    /// The name this server gives in EHLO, and its reports come from.
    package var hostname: [UInt8]
    package var routes = RouteTable()
    package var lookUps = RouteSettings()
    /// What TLS is demanded where no route says otherwise.
    package var tls = TLSPreference.published
    package var scheduler = QueueSchedulerSettings()
    package var race = ConnectionRaceSettings()
    package var pace = SMTPClientDriver.Pace()
    /// The addresses that connections come from; nil: the system chooses.
    package var sourceIPv4: NetworkAddress?
    package var sourceIPv6: NetworkAddress?
    /// For how many seconds after it was accepted mail is tried.
    package var ageSecondsMax: Int64 = 120 * 3600
    /// After how many seconds a sender is told that his mail waits; nil: never.
    package var warnSeconds: Int64? = 4 * 3600
    /// Destinations of which the way is remembered.
    package var routesMax = 4096
    /// The password of a relay's login; nil: it cannot be had.
    package var login: (RelayLogin) -> (any ClientLogin)? = { _ in nil }

    package init(hostname: [UInt8]) { self.hostname = hostname }
}
