// SPDX-License-Identifier: Apache-2.0
//
// How the C library deals with memory that has been freed. By default a heap gives back whatever is
// free at its end beyond 128 KiB, and a thread that takes and frees a message's buffer again and
// again then pays a system call and the clearing of its pages each time: a tenth of all that a
// message costs.

internal import CLibevent

/// The C library's heaps.
package enum FreedMemory {
    /// Lets each heap (each busy thread has one) keep up to so many freed octets.
    package static func keep(octetsPerHeap octets: Int32) {
        clibevent_keep_freed_memory(octets)
    }
}
