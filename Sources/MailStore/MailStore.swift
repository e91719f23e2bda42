// SPDX-License-Identifier: Apache-2.0
//
// The writer. Everything that waits is carried out in one transaction and is durable when it is
// answered. A request that cannot be carried out is refused before it has written anything, so
// that its neighbours are not harmed; a failure of the disk undoes the whole group.

internal import MailSyntax

/// The store of one process, used by the thread that opened it.
///
/// What is answered as done is durable. What is answered as failed is not there, with one
/// exception: when a sync fails, the disk may have taken what was written before it. Then the group
/// is not there for as long as the process lives, but the next start may find it whole. A sender
/// who tries again may so cause a duplicate, never a loss.
package final class MailStore {
    /// How the store is kept.
    package struct Options: Sendable {
        /// Room on the disk that new mail does not get, so that mail can still be removed.
        package var reserveOctets = 16 << 20
        /// PRAGMA synchronous; anything but FULL loses mail when the power fails.
        package var synchronous = "FULL"
        /// The SQLite VFS to use; nil for the system's.
        package var vfs: String?
        /// The log is moved into the file when it has grown to about so many octets.
        package var checkpointOctets = 16 << 20
        /// New mail is refused while the log is larger, because it cannot be moved.
        package var logOctetsMax = 1 << 29

        package init() {}
    }

    let directory: StoreDirectory
    let options: Options
    var database: Database?
    var reserve: DiskReserve
    var garbage: [StoreTransaction.Garbage] = []
    /// After a failed write or sync the connection is replaced before anything else is done.
    var isSuspect = false
    /// Pages were written to the file and could not be synced; nobody can tell which.
    ///
    /// Only a new process moves the log again, from its beginning.
    var canCheckpoint = true

    /// Opens the store in `directory`, and makes it when there is none.
    package init(directory path: String, options: Options = Options()) throws(StoreError) {
        self.directory = try StoreDirectory(path)
        self.options = options
        self.reserve = try DiskReserve(in: self.directory, octets: options.reserveOctets)
        try self.directory.makeDatabaseFile()
        let database = try self.open()
        self.database = database
        // Nobody is left who could append what was staged before.
        self.garbage = try database.abandoned()
    }

    /// Nothing can be asked any more.
    package func close() {
        guard let database = self.database else { return }
        if !self.isSuspect, self.canCheckpoint, case .complete = database.checkpoint() {
            database.removeLogOnClose()
        }
        self.database = nil
    }

    // MARK: - The group

    /// Carries all requests out in one transaction; what is answered is durable.
    package func commit(_ requests: [StoreRequest]) -> [StoreAnswer] {
        guard !requests.isEmpty else { return [] }
        var isLow = !self.hasRoom(for: requests)
        var answers = self.group(requests, isLow: isLow)
        guard answers.contains(where: \.isFull) else { return answers }
        // What needs no room gets a chance of its own when the disk is full.
        if !isLow, !requests.allSatisfy(\.needsRoom) {
            isLow = true
            answers = self.group(requests, isLow: true)
        }
        let isStuck = zip(requests, answers).contains { !$0.needsRoom && $1.isFull }
        guard isStuck, self.reserve.release() else { return answers }
        return self.group(requests, isLow: true)
    }

    private func group(_ requests: [StoreRequest], isLow: Bool) -> [StoreAnswer] {
        do throws(StoreError) {
            let database = try self.trustedDatabase()
            try database.begin()
            let transaction = StoreTransaction(database: database)
            var answers: [StoreAnswer] = []
            answers.reserveCapacity(requests.count)
            for request in requests {
                let isRefused = isLow && request.needsRoom
                answers.append(isRefused ? .failed(.full) : try transaction.carryOut(request))
            }
            try transaction.refreshDestinations()
            try database.commit()
            self.garbage += transaction.garbage
            return answers
        } catch {
            guard self.undo(error), requests.count > 1 else {
                return requests.map { _ in .failed(error) }
            }
            // One of them cannot be carried out; the others can.
            return requests.flatMap { self.group([$0], isLow: isLow) }
        }
    }

    /// Undoes a transaction; returns whether the failure lies in a request.
    @discardableResult
    func undo(_ error: StoreError) -> Bool {
        guard let database = self.database else { return false }
        let isRequestAtFault = database.isRequestAtFault
        database.rollBack()
        if error != .full, !isRequestAtFault { self.isSuspect = true }
        return isRequestAtFault && !self.isSuspect
    }

    /// The connection, or a new one when the old has failed.
    func trustedDatabase() throws(StoreError) -> Database {
        guard self.isSuspect, let old = self.database else {
            guard let database = self.database else {
                preconditionFailure("a closed store is asked nothing")
            }
            return database
        }
        // The old connection lives until the new one has joined it: they share the index of the
        // log, in which what failed does not stand. From the file alone it would be recovered, and
        // later commits would lie behind pages that the disk may not have.
        return try withExtendedLifetime(old) { () throws(StoreError) in
            let database = try self.open()
            self.database = database
            self.isSuspect = false
            return database
        }
    }
}

extension StoreAnswer {
    var isFull: Bool {
        if case .failed(.full) = self { true } else { false }
    }
}

extension StoreRequest {
    /// Whether the request is refused when the disk is nearly full.
    var needsRoom: Bool {
        switch self {
        case .append, .appendReport, .stage, .spill, .addAccount, .addAlias: true
        case .unstage, .delete, .reserveMessageIDs, .setPassword, .improveVerifier, .removeAccount,
            .setQuota, .removeAlias, .settle, .rest, .wake, .closeReports, .changeQueue:
            false
        }
    }

    /// About how much the request adds to the log at the most.
    var octets: Int {
        switch self {
        case .append(let message), .appendReport(let message, closing: _):
            message.content.count + message.queueOctets
                + Database.pageOctets * (3 + 2 * message.deliveries.count)
        case .stage(_, _, let chunk): chunk.count + 2 * Database.pageOctets
        // The chunk is written anew.
        case .spill: Schema.chunkOctets + 2 * Database.pageOctets
        default: 4 * Database.pageOctets
        }
    }
}

extension StoreRequest.Append {
    /// About how much the rows in the queue add to the log: a page each of the tables that grow at
    /// their ends, and some of the indexes by destination.
    fileprivate var queueOctets: Int {
        guard let recipients = self.queue?.recipients, !recipients.isEmpty else { return 0 }
        let octets = recipients.reduce(0) {
            $0 + $1.address.count + 2 * $1.destination.count + $1.originalRecipient.count + 64
        }
        return octets + Database.pageOctets * (4 + 3 * recipients.count)
    }
}
