// SPDX-License-Identifier: Apache-2.0

import CPowerCut
import Foundation

/// A disk that can lose its power, and meet faults; reached by SQLite under its name.
@safe
final class PowerCutDisk {
    let name: String
    private let disk: OpaquePointer

    /// A disk with the files that are in `directory`.
    init(adopting directory: TemporaryDirectory? = nil) {
        self.name = "powercut-\(UUID().uuidString)"
        unsafe self.disk = powercut_make(self.name)
        guard let path = directory?.path else { return }
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
            unsafe powercut_adopt(self.disk, "\(path)/\(name)")
        }
    }

    deinit { unsafe powercut_free(self.disk) }

    var steps: Int64 { unsafe powercut_steps(self.disk) }

    func calls(_ kinds: Calls) -> Int { unsafe Int(powercut_calls(self.disk, kinds.rawValue)) }

    /// Kinds of calls that can meet faults.
    struct Calls: OptionSet {
        let rawValue: Int32

        static let write = Calls(rawValue: 1)
        static let sync = Calls(rawValue: 2)
        static let truncate = Calls(rawValue: 4)
        static let open = Calls(rawValue: 8)
        static let sharedMemory = Calls(rawValue: 16)
        static let read = Calls(rawValue: 32)
        static let delete = Calls(rawValue: 64)
    }

    enum Fault: Equatable {
        case fail
        case full
        case delay(milliseconds: Int32)
    }

    /// Lets `count` calls meet a fault, after `after` that do not.
    func set(
        _ fault: Fault,
        on calls: Calls,
        ofFilesEnding suffix: String = "",
        after: Int = 0,
        count: Int = .max
    ) {
        let (kind, milliseconds): (powercut_fault, Int32) =
            switch fault {
            case .fail: (POWERCUT_FAIL, 0)
            case .full: (POWERCUT_FULL, 0)
            case .delay(let milliseconds): (POWERCUT_DELAY, milliseconds)
            }
        unsafe powercut_set_fault(
            self.disk,
            calls.rawValue,
            suffix,
            Int64(after),
            Int64(count),
            kind,
            milliseconds
        )
    }

    func clearFault() { unsafe powercut_clear_fault(self.disk) }

    var faultsMet: Int { unsafe Int(powercut_faults_met(self.disk)) }

    /// Lets the files hold so many octets together; nil for any number.
    func setCapacity(_ octets: Int?) {
        unsafe powercut_set_capacity(self.disk, Int64(octets ?? -1))
    }

    /// The octets that the files hold together.
    var octets: Int { unsafe Int(powercut_octets(self.disk)) }

    /// A walk through what has been recorded so far.
    func replay() -> Replay { unsafe Replay(powercut_replay_make(self.disk), of: self) }

    /// The states of the disk, one after the other.
    @safe
    final class Replay {
        private let replay: OpaquePointer
        private let disk: PowerCutDisk

        init(_ replay: OpaquePointer, of disk: PowerCutDisk) {
            unsafe self.replay = replay
            self.disk = disk
        }

        deinit { unsafe powercut_replay_free(self.replay) }

        /// Makes `directory` what is left when the power goes after so many steps.
        ///
        /// Seed 0 loses all that was not synced, others lose parts of it.
        func cut(after steps: Int64, seed: UInt64, into directory: TemporaryDirectory) {
            directory.empty()
            unsafe powercut_replay_to(self.replay, steps)
            let code = unsafe powercut_replay_write(self.replay, seed, directory.path)
            precondition(code == 0, "the state of the disk cannot be written")
        }
    }
}
