// SPDX-License-Identifier: Apache-2.0
//
// Carries administration requests out wherever the store is: in the running server, over its
// control socket, or on the store itself when no server holds it.

package import Configuration
package import MailStore

/// Accounts, aliases and the queue as the command line reaches them.
package struct Administrator {
    /// Why nothing could be carried out at all.
    package enum Failure: Error {
        case store(StoreError, directory: String)
        case server(String)
        case privilege(LeastPrivilege.Failure)
    }

    private let configuration: Configuration

    package init(configuration: Configuration) {
        self.configuration = configuration
    }

    /// Offline, so many changes go into one transaction.
    private static let batchMax = 500

    /// The results of all requests, in order.
    package func perform(
        _ requests: [AdministrationRequest]
    ) throws(Failure) -> [AdministrationResult] {
        try self.becomeUser()
        let store: MailStore
        let reader: MailStoreReader
        do throws(StoreError) {
            store = try MailStore(
                directory: self.configuration.dataDirectory,
                options: self.configuration.storeOptions
            )
            reader = try MailStoreReader(directory: self.configuration.dataDirectory)
        } catch .inUse {
            return try self.performOnline(requests)
        } catch {
            throw .store(error, directory: self.configuration.dataDirectory)
        }
        defer { store.close() }
        return self.perform(requests, store: store, reading: StoreReading(reader: reader))
    }

    /// Makes all unique-ids new, after a backup was restored; while no server runs.
    package func startNewIncarnations() throws(Failure) {
        try self.becomeUser()
        do throws(StoreError) {
            let store = try MailStore(
                directory: self.configuration.dataDirectory,
                options: self.configuration.storeOptions
            )
            defer { store.close() }
            try store.startNewIncarnations()
        } catch {
            throw .store(error, directory: self.configuration.dataDirectory)
        }
    }

    /// Files that root makes in the data directory would be closed to the server.
    private func becomeUser() throws(Failure) {
        do throws(LeastPrivilege.Failure) {
            try LeastPrivilege.becomeUser(of: self.configuration)
        } catch {
            throw .privilege(error)
        }
    }

    private func performOnline(
        _ requests: [AdministrationRequest]
    ) throws(Failure) -> [AdministrationResult] {
        do throws(ControlClient.Failure) {
            return try ControlClient.perform(requests, at: self.configuration.controlSocketPath)
        } catch {
            throw .server("the store is in use, but its server does not answer: \(error)")
        }
    }

    private func perform(
        _ requests: [AdministrationRequest],
        store: MailStore,
        reading: StoreReading
    ) -> [AdministrationResult] {
        var results: [AdministrationResult] = []
        var batch: [StoreRequest] = []
        func flush() {
            results += zip(batch, store.commit(batch)).map { request, answer in
                AdministrationResult(.written(answer, to: request))
            }
            batch = []
        }
        for request in requests {
            if let refusal = request.refusal(localDomains: self.configuration.localDomains) {
                flush()
                results.append(AdministrationResult(rows: [], failure: refusal))
                continue
            }
            switch request.step {
            case .write(let change):
                batch.append(change)
                if batch.count >= Self.batchMax { flush() }
            case .read(let question):
                flush()
                results.append(AdministrationResult(reading.answer(question)))
            }
        }
        flush()
        return results
    }
}
