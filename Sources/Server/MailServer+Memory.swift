// SPDX-License-Identifier: Apache-2.0
//
// What sessions may have in memory, each and all together.

internal import EventLoop

// MARK: - Output

extension MailServer {
    /// Long answers leave in portions of about this size: the more connections there are, the less
    /// each of them may have in memory.
    var outputPortionOctets: Int {
        let share = self.limits.contentMemoryOctets / max(self.connectionCount, 1)
        return min(max(share, 1 << 13), 1 << 16, self.limits.outputBacklogOctets)
    }

    /// Output that a peer may leave untaken before it is read from no more.
    var outputBacklogOctets: Int {
        min(self.limits.outputBacklogOctets, 2 * self.outputPortionOctets)
    }
}

// MARK: - Content

extension MailServer {
    /// Whether content should go ahead to the store in smaller pieces than it otherwise would.
    var isShortOfContentMemory: Bool { self.contentOctets > self.limits.contentMemoryOctets }

    /// Whether another message may be begun at all.
    var hasRoomForMessage: Bool { self.contentOctets <= 2 * self.limits.contentMemoryOctets }

    /// Whether the store may be given more content ahead of its message.
    var mayStage: Bool {
        self.stagingOctets == 0 || self.stagingOctets < self.limits.contentMemoryOctets / 2
    }

    /// The driver's `mayStage()` is called as soon as the store has taken enough.
    func waitToStage(_ conversation: any Conversation) {
        self.waitingToStage.append(conversation.stream.id)
    }

    func letStage() {
        guard !self.waitingToStage.isEmpty, self.mayStage else { return }
        var waiting: [ConnectionID] = []
        swap(&waiting, &self.waitingToStage)
        for (index, id) in waiting.enumerated() {
            guard self.mayStage else {
                self.waitingToStage.insert(contentsOf: waiting[index...], at: 0)
                return
            }
            self.conversations[id]?.mayStage()
        }
    }
}
