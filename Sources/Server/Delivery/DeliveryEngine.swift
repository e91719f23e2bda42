// SPDX-License-Identifier: Apache-2.0
//
// Mail on its way out: interprets the actions of the scheduler, and asks the store, the domain name
// system and other servers for it. It decides neither when nor where mail goes.

package import Delivery

/// All outgoing mail of one server.
package final class DeliveryEngine {
    private let settings: DeliverySettings
    private let names: any NameResolver
    private let connector: any Connector

    package init(
        settings: DeliverySettings,
        names: any NameResolver,
        connector: any Connector
    ) {
        self.settings = settings
        self.names = names
        self.connector = connector
    }

    /// Mail for these destinations has been committed.
    package func queued(_ destinations: [Destination]) {}

    /// Mail of a destination is to be tried now, whatever was to be waited for (ETRN, and `queue
    /// retry`); nil: of all.
    package func wake(_ destination: Destination?) {}

    /// What should be nothing when no connection is left and every answer has come.
    package var leaks: [String] { [] }
}
