// SPDX-License-Identifier: Apache-2.0
//
// SQLite as the importer can see it.
#pragma once

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/// Binds octets that stay where they are until the statement is reset (SQLITE_STATIC is a cast).
static inline int csqlite_bind_octets(
    sqlite3_stmt *statement, int index, const void *octets, int count) {
    static const char none = 0;
    return sqlite3_bind_blob(statement, index, count > 0 ? octets : &none, count, SQLITE_STATIC);
}

/// SQLITE_TRANSIENT is a cast, too.
static inline sqlite3_destructor_type csqlite_transient(void) { return SQLITE_TRANSIENT; }

/// Whether closing the last connection moves the log into the file and removes it;
/// sqlite3_db_config is variadic.
static inline int csqlite_checkpoint_on_close(sqlite3 *database, int happens) {
    return sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !happens, (int *)0);
}

/// The index of the log cannot grow: the disk is full. (The macro is an expression.)
static const int csqlite_shm_size_failure = SQLITE_IOERR_SHMSIZE;

/// The pages in the log: as of the last commit, and the most there have been.
typedef struct {
    int now;
    int most;
} csqlite_frames;

static int csqlite_note_frames(void *context, sqlite3 *database, const char *name, int count) {
    (void)database;
    (void)name;
    csqlite_frames *frames = context;
    frames->now = count;
    if (count > frames->most) frames->most = count;
    return SQLITE_OK;
}

/// Keeps `frames` up to date, from the next commit on.
static inline void csqlite_count_frames(sqlite3 *database, csqlite_frames *frames) {
    sqlite3_wal_hook(database, csqlite_note_frames, frames);
}

/// Syncs the database file itself, which a checkpoint that readers hold up leaves undone.
static inline int csqlite_sync_file(sqlite3 *database) {
    sqlite3_file *file = 0;
    int code = sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code != SQLITE_OK || !file || !file->pMethods) return SQLITE_ERROR;
    return file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
}

/// Turns the statistics of memory off; before the first connection. sqlite3_config is variadic.
static inline int csqlite_count_no_memory(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}
