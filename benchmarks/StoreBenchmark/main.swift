// SPDX-License-Identifier: Apache-2.0
//
// What the store costs by itself: CPU microseconds for each message that is appended, read and
// deleted, without loop and network. 10 KiB messages into random ones of 1 000 maildrops.
//
//     MARTLET_BENCHMARKS=1 swift build -c release --product StoreBenchmark
//     .build/release/StoreBenchmark DIRECTORY [messages] [in flight]
//
// The same for the queue: messages are appended, claimed with their content, and settled.

import Glibc
import MailStore
import MailSyntax

private struct StoreBenchmark {
    let directory: String
    let messages: Int
    let inFlight: Int
    let contentOctets = 10_240
    let maildrops = 1000
    var generator = Generator(state: 1)

    mutating func run() throws(StoreError) {
        let store = try MailStore(directory: self.directory)
        let reader = try MailStoreReader(directory: self.directory)
        let accounts = self.addAccounts(store)
        // A first round fills the maildrops, so that the second meets a store in use.
        for round in 1...3 {
            print("round \(round)")
            self.append(store, to: accounts, isSilent: false)
            try self.read(reader, accounts)
            if round > 1 { try self.delete(store, reader, accounts) }
        }
        for destinations in [1, 1000] {
            var queue = QueueBenchmark(
                store: store,
                reader: reader,
                messages: self.messages,
                inFlight: self.inFlight,
                destinations: destinations
            )
            for _ in 1...2 { try queue.run() }
        }
        store.close()
    }

    private func addAccounts(_ store: MailStore) -> [AccountID] {
        let requests = (0..<self.maildrops).compactMap { number in
            Address(parsing: "user\(number)@example.test").map {
                StoreRequest.addAccount(
                    NewAccount(
                        address: $0,
                        verifier: [UInt8](repeating: 7, count: 200),
                        recoverableSecret: nil,
                        quota: nil
                    )
                )
            }
        }
        return store.commit(requests).compactMap {
            if case .accountAdded(let id) = $0 { id } else { nil }
        }
    }

    private mutating func append(_ store: MailStore, to accounts: [AccountID], isSilent: Bool) {
        let blockAnswer = store.commit([.reserveMessageIDs(count: self.messages)])
        guard case .reserved(var next) = blockAnswer[0] else { return }
        let content = [UInt8](repeating: 0x61, count: self.contentOctets)
        let start = Usage.now
        var left = self.messages
        while left > 0 {
            let count = min(left, self.inFlight)
            var group: [StoreRequest] = []
            for _ in 0..<count {
                let message = StoreRequest.Append(
                    id: MessageID(rawValue: next),
                    reversePath: Array("sender@example.org".utf8),
                    content: content,
                    stagedChunks: 0,
                    octets: content.count,
                    endsWithCRLF: true,
                    deliveries: [accounts[self.generator.below(accounts.count)]],
                    perRecipient: false,
                    receivedAt: 1_700_000_000
                )
                group.append(.append(message))
                next += 1
            }
            for answer in store.commit(group) {
                guard case .appended = answer else { fatalError("\(answer)") }
            }
            _ = store.tidy()
            left -= count
        }
        Usage.print("append", since: start, of: self.messages)
    }

    private func read(_ reader: MailStoreReader, _ accounts: [AccountID]) throws(StoreError) {
        let start = Usage.now
        var count = 0
        for account in accounts {
            let head = try reader.maildropHead(account)
            let listing = try reader.listing(account, below: head.nextSequence)
            for entry in listing {
                var octets: [UInt8] = []
                _ = try reader.read(
                    account,
                    sequence: entry.sequence,
                    offset: 0,
                    max: 1 << 16,
                    into: &octets
                )
                guard octets.count == entry.octets else { fatalError("octets differ") }
                count += 1
            }
        }
        Usage.print("read", since: start, of: count)
        let heads = Usage.now
        for account in accounts { _ = try reader.maildropHead(account) }
        Usage.print("head", since: heads, of: accounts.count)
    }

    private func delete(
        _ store: MailStore,
        _ reader: MailStoreReader,
        _ accounts: [AccountID]
    ) throws(StoreError) {
        var requests: [StoreRequest] = []
        var count = 0
        for account in accounts {
            let head = try reader.maildropHead(account)
            let sequences = try reader.listing(account, below: head.nextSequence)
                .map(\.sequence).prefix(10)
            count += sequences.count
            requests.append(
                .delete(account, incarnation: head.incarnation, sequences: Array(sequences))
            )
        }
        let start = Usage.now
        var first = 0
        while first < requests.count {
            let group = requests[first..<min(first + self.inFlight, requests.count)]
            for answer in store.commit(Array(group)) {
                guard case .deleted = answer else { fatalError("\(answer)") }
            }
            _ = store.tidy()
            first += group.count
        }
        Usage.print("delete (ten a session)", since: start, of: count)
    }
}

let words = CommandLine.arguments
guard words.count > 1 else {
    print("usage: StoreBenchmark DIRECTORY [messages] [in flight]")
    exit(64)
}
private var benchmark = StoreBenchmark(
    directory: words[1],
    messages: words.count > 2 ? Int(words[2]) ?? 10_000 : 10_000,
    inFlight: words.count > 3 ? Int(words[3]) ?? 50 : 50
)
do throws(StoreError) {
    try benchmark.run()
} catch {
    print("\(error)")
    exit(75)
}
