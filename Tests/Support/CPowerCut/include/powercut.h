// SPDX-License-Identifier: Apache-2.0
//
// A disk for SQLite that can lose its power. A VFS passes every call on to the system's VFS and
// records what was written, synced, cut and removed. From the record, the state of the disk after
// any number of these steps can be made, as a loss of power at that point would leave it:
// everything that was not synced is gone, or a seeded part of it is there. Calls can be made to
// fail, to find the disk full, or to take long.
//
// A sync that fails leaves its pages clean and unwritten, as the page caches of systems do: they
// can still be read, a second sync succeeds, and a loss of power loses them.
#pragma once

#include <stdint.h>

typedef struct powercut_disk powercut_disk;

typedef enum {
    POWERCUT_WRITE = 1,
    POWERCUT_SYNC = 2,
    POWERCUT_TRUNCATE = 4,
    POWERCUT_OPEN = 8,
    POWERCUT_SHM_MAP = 16,
    POWERCUT_READ = 32,
    POWERCUT_DELETE = 64,
} powercut_call;

typedef enum {
    POWERCUT_FAIL = 1,
    POWERCUT_FULL = 2,
    POWERCUT_DELAY = 3,
} powercut_fault;

/// Which files a fault is for, by how their names end; null for all.
typedef const char *powercut_suffix;

/// A new disk, reached under the name `vfs`. Its directories are those of the system.
powercut_disk *powercut_make(const char *vfs);
void powercut_free(powercut_disk *disk);

/// Takes a file up that is on the disk already; before SQLite opens it.
void powercut_adopt(powercut_disk *disk, const char *path);

/// The steps recorded so far.
int64_t powercut_steps(powercut_disk *disk);

/// How many calls of these kinds there have been.
int64_t powercut_calls(powercut_disk *disk, int calls);

/// Lets `count` calls of these kinds meet a fault, after `after` that do not.
void powercut_set_fault(powercut_disk *disk, int calls, powercut_suffix suffix, int64_t after,
                        int64_t count, powercut_fault fault, int milliseconds);
void powercut_clear_fault(powercut_disk *disk);

/// How many calls met the fault.
int64_t powercut_faults_met(powercut_disk *disk);

/// Lets the files together hold so many octets; a write that lets them grow further finds the disk
/// full. Negative: any number.
void powercut_set_capacity(powercut_disk *disk, int64_t octets);

/// The octets that the files hold together.
int64_t powercut_octets(powercut_disk *disk);

/// A walk through the record; steps are only taken forwards.
typedef struct powercut_replay powercut_replay;

powercut_replay *powercut_replay_make(powercut_disk *disk);
void powercut_replay_free(powercut_replay *replay);

/// Goes on until `steps` of the record are taken.
void powercut_replay_to(powercut_replay *replay, int64_t steps);

/// Writes the files into `directory` as they are after a loss of power now. With seed 0 all that
/// was not synced is lost; with another, sectors of 512 octets of it are there by chance.
/// Returns 0, or -1 when a file cannot be written.
int powercut_replay_write(powercut_replay *replay, uint64_t seed, const char *directory);
