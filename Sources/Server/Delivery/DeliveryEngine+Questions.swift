// SPDX-License-Identifier: Apache-2.0
//
// What the scheduler wants of the store: what is due, messages to deliver, destinations at rest.

internal import Delivery
internal import MailStore
internal import MailSyntax

extension DeliveryEngine {
    func rest(
        _ destination: Destination,
        _ until: Int64,
        _ failures: Int,
        _ reason: String
    ) {
        self.routes.forget(destination)
        self.server.journal.destinationRests(
            destination,
            seconds: until - self.server.time.wallClock,
            reason
        )
        self.insist(
            on: .rest(
                destination: destination.octets,
                until: until,
                failures: failures,
                reason: Array(reason.utf8),
                at: self.server.time.wallClock
            )
        )
    }

    func findDue(_ max: Int, _ excluding: [Destination]) {
        let question = StoreQuestion.dueDestinations(
            now: self.server.time.wallClock,
            max: max,
            excluding: Set(excluding.map(\.octets))
        )
        self.ask(question) { [weak self] reply in
            guard case .dueDestinations(let due, let nextAt) = reply else {
                self?.tell(.findDueFailed)
                return
            }
            let found = due.map {
                QueueScheduler.Due(Destination($0.destination), failures: $0.failures)
            }
            self?.tell(.dueFound(found, nextAt: nextAt, isComplete: found.count < max))
        }
    }

    func claim(
        _ destination: Destination,
        _ max: Int,
        _ octetsMax: Int,
        _ excluding: [MessageID]
    ) {
        let query = DueMessagesQuery(
            destination: destination.octets,
            now: self.server.time.wallClock,
            messagesMax: max,
            recipientsMax: ClaimTable.recipientsMax,
            excluding: self.watch.expiring.union(excluding),
            octetsMax: octetsMax
        )
        self.claiming.insert(destination)
        self.ask(.dueMessages(query)) { [weak self] reply in
            guard let self else { return }
            self.claiming.remove(destination)
            guard case .dueMessages(_, let found) = reply else {
                self.tell(.claimFailed(destination))
                return
            }
            let claims = found.messages.map { self.claims.insert($0, of: destination) }
            self.tell(.claimed(destination, claims, isComplete: found.isComplete))
        }
    }
}
