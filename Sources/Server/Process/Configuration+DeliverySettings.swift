// SPDX-License-Identifier: Apache-2.0
//
// From the configuration to the settings of mail on its way out.

internal import Configuration
internal import Delivery
internal import EventLoop
internal import MailBytes

extension Configuration {
    /// The settings of delivery; `passwords` are those of relays, by the path of their files.
    func deliverySettings(
        passwords: [String: [UInt8]],
        worker: (any ProofWorker)? = nil
    ) -> DeliverySettings {
        var settings = DeliverySettings(hostname: Array(self.hostname.utf8))
        settings.routes = self.routeTable
        settings.lookUps = self.routeSettings
        settings.lookUps.ownAddresses = self.routeSettings.ownAddresses.flatMap(Self.own)
        settings.tls = TLSPreference(self.delivery.tls) ?? .published
        settings.scheduler = self.schedulerSettings
        settings.race.attemptSecondsMax = Double(self.delivery.connectSeconds)
        settings.pace.replySeconds = Double(self.delivery.replySeconds)
        settings.pace.finalReplySeconds = 2 * Double(self.delivery.replySeconds)
        for address in self.delivery.sourceAddresses {
            switch address.family {
            case .ipv4: settings.sourceIPv4 = address
            case .ipv6: settings.sourceIPv6 = address
            case .unix: break
            }
        }
        settings.ageSecondsMax = Int64(self.delivery.ageHoursMax) * 3600
        settings.warnSeconds =
            self.delivery.warnHours == 0 ? nil : Int64(self.delivery.warnHours) * 3600
        settings.login = { login in
            passwords[login.secret].map {
                RelayPassword(identity: Array(login.name.utf8), password: $0, worker: worker)
            }
        }
        return settings
    }

    /// Who listens on all interfaces is reached at the address of each.
    private static func own(_ address: NetworkAddress) -> [NetworkAddress] {
        guard ["0.0.0.0", "::"].contains(address.host) else { return [address] }
        return [address]
            + HostAddresses.all.filter { $0.family == address.family }
            .map { $0.with(port: address.port) }
    }

    private var schedulerSettings: QueueSchedulerSettings {
        var settings = QueueSchedulerSettings()
        settings.connectionsMax = self.delivery.connections
        settings.connectionsPerDestinationMax = self.delivery.connectionsPerDestination
        settings.messagesPerConnectionMax = self.delivery.messagesPerConnection
        settings.messagesPerDestinationSecond = Double(self.delivery.messagesPerDestinationSecond)
        settings.retries.secondsMin = Int64(self.delivery.retrySecondsMin)
        settings.retries.secondsMax = Int64(self.delivery.retrySecondsMax)
        return settings
    }
}
