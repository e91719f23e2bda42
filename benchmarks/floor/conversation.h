// SPDX-License-Identifier: Apache-2.0
//
// What the floor says: canned, correct replies of SMTP (RFC 5321) and POP3 (RFC 1939). No account
// is checked and no mail is kept; what is left is the work that every such server must do. Knows
// no socket.
#pragma once

#include <stddef.h>

#include "journal.h"

enum protocol { PROTOCOL_SMTP, PROTOCOL_POP3 };

/// Replies of one turn, sent together.
struct replies {
    char *octets;
    size_t count;
    size_t capacity;
};

struct conversation {
    enum protocol protocol;
    enum { PHASE_COMMANDS, PHASE_CONTENT, PHASE_COMMITTING } phase;
    /// How many octets of CR LF dot CR LF the content ends with, as far as it has come.
    unsigned terminator;
    /// The content so far; NULL when it is thrown away.
    struct message *message;
};

/// What a conversation waits for.
enum wait { WAIT_INPUT, WAIT_COMMIT, WAIT_DRAIN, WAIT_CLOSE };

/// How many messages have been answered, for others to read; a number of the process's own unless
/// it is set before the first message.
extern volatile uint64_t *conversation_message_count;

/// Prepares the constant replies.
void conversation_prepare(void);

/// Begins a conversation with its greeting.
void conversation_begin(struct conversation *, enum protocol, struct replies *);

/// Takes what it can of contiguous octets, and returns how many are done with.
size_t conversation_take(struct conversation *, const char *octets, size_t count,
                         struct replies *, enum wait *);

/// The message has been committed.
void conversation_committed(struct conversation *, struct replies *);
