// SPDX-License-Identifier: Apache-2.0
//
// SQLite as the importer can see it.
#pragma once

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/statvfs.h>

/// Binds octets that stay where they are until the statement is reset (SQLITE_STATIC is a cast).
static inline int csqlite_bind_octets(sqlite3_stmt *statement, int index, const void *octets, int count) {
    static const char none = 0;
    return sqlite3_bind_blob(statement, index, count > 0 ? octets : &none, count, SQLITE_STATIC);
}

/// Lets a checkpoint happen only when it is asked for; sqlite3_db_config is variadic.
static inline int csqlite_keep_wal_on_close(sqlite3 *database) {
    return sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

/// SQLITE_TRANSIENT is a cast, too.
static inline sqlite3_destructor_type csqlite_transient(void) { return SQLITE_TRANSIENT; }
