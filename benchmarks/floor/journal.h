// SPDX-License-Identifier: Apache-2.0
//
// The least that durability costs: one thread appends all messages that wait to a log with one
// writev and one fdatasync (group commit), then tells the loop by an eventfd.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// A message on its way into the log.
struct message {
    struct message *next;
    /// The connection to be answered; NULL once it is gone. Touched by the loop's thread only.
    void *owner;
    /// The octets of the content; the log holds this number before them.
    uint64_t count;
    size_t capacity;
    char *octets;
};

/// Opens the log, empties it, and starts the thread; without this call messages are thrown away.
void journal_open(const char *path);

/// An empty message, or NULL when messages are thrown away.
struct message *journal_begin_message(void);

void message_append(struct message *, const char *octets, size_t count);
void message_free(struct message *);

/// Hands a message to the thread.
void journal_commit(struct message *, void *owner);

/// Becomes readable when messages have been committed; -1 when messages are thrown away.
int journal_descriptor(void);

/// All messages committed since the last call, in no order.
struct message *journal_take_committed(void);
