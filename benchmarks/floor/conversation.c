// SPDX-License-Identifier: Apache-2.0

#include "conversation.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAILDROP_MESSAGES = 10,
    MESSAGE_OCTETS = 10240,
    CONTENT_LINE_OCTETS = 64,
    // A client that asks without reading gets no further than this in one turn.
    REPLIES_MAX = 1 << 18,
    // The terminator that follows the line end of "DATA": CR LF are seen already.
    TERMINATOR_AT_LINE_START = 2,
    TERMINATOR_OCTETS = 5,
};

static volatile uint64_t own_message_count;
volatile uint64_t *conversation_message_count = &own_message_count;

static char scan_listing[512], unique_ids[512], drop_listing[64], retrieval[MESSAGE_OCTETS + 64];
static size_t retrieval_count;

static void append(struct replies *replies, const char *octets, size_t count) {
    if (replies->capacity - replies->count < count) {
        replies->capacity = 2 * (replies->capacity + count);
        replies->octets = realloc(replies->octets, replies->capacity);
        if (replies->octets == NULL) abort();
    }
    memcpy(replies->octets + replies->count, octets, count);
    replies->count += count;
}

static void reply(struct replies *replies, const char *text) {
    append(replies, text, strlen(text));
}

void conversation_prepare(void) {
    char *listing = scan_listing + sprintf(scan_listing, "+OK %d messages\r\n", MAILDROP_MESSAGES);
    char *ids = unique_ids + sprintf(unique_ids, "+OK\r\n");
    for (int number = 1; number <= MAILDROP_MESSAGES; number++) {
        listing += sprintf(listing, "%d %d\r\n", number, MESSAGE_OCTETS);
        ids += sprintf(ids, "%d floor.%08d\r\n", number, number);
    }
    strcpy(listing, ".\r\n");
    strcpy(ids, ".\r\n");
    sprintf(drop_listing, "+OK %d %d\r\n", MAILDROP_MESSAGES, MAILDROP_MESSAGES * MESSAGE_OCTETS);

    char *content = retrieval + sprintf(retrieval, "+OK %d octets\r\n", MESSAGE_OCTETS);
    memset(content, 'x', MESSAGE_OCTETS);
    for (int end = CONTENT_LINE_OCTETS; end <= MESSAGE_OCTETS; end += CONTENT_LINE_OCTETS) {
        memcpy(content + end - 2, "\r\n", 2);
    }
    memcpy(content + MESSAGE_OCTETS, ".\r\n", 3);
    retrieval_count = (size_t)(content - retrieval) + MESSAGE_OCTETS + 3;
}

void conversation_begin(struct conversation *conversation, enum protocol protocol,
                        struct replies *replies) {
    memset(conversation, 0, sizeof *conversation);
    conversation->protocol = protocol;
    reply(replies, protocol == PROTOCOL_SMTP ? "220 floor.example.test ESMTP\r\n"
                                             : "+OK floor ready\r\n");
}

void conversation_committed(struct conversation *conversation, struct replies *replies) {
    conversation->phase = PHASE_COMMANDS;
    conversation->message = NULL;
    ++*conversation_message_count;
    reply(replies, "250 2.0.0 OK\r\n");
}

/// The first four letters of a command in upper case, packed.
static uint32_t verb(const char *line, size_t count) {
    uint32_t packed = 0;
    if (count < 4) return 0;
    memcpy(&packed, line, 4);
    return packed & 0xdfdfdfdf;
}

#define VERB(a, b, c, d) \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

static enum wait smtp_command(struct conversation *conversation, const char *line, size_t count,
                              struct replies *replies) {
    switch (verb(line, count)) {
    case VERB('E', 'H', 'L', 'O'):
        reply(replies,
              "250-floor.example.test\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n"
              "250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n");
        return WAIT_INPUT;
    case VERB('H', 'E', 'L', 'O'):
        reply(replies, "250 floor.example.test\r\n");
        return WAIT_INPUT;
    case VERB('M', 'A', 'I', 'L'):
    case VERB('R', 'C', 'P', 'T'):
    case VERB('R', 'S', 'E', 'T'):
    case VERB('N', 'O', 'O', 'P'):
        reply(replies, "250 2.0.0 OK\r\n");
        return WAIT_INPUT;
    case VERB('D', 'A', 'T', 'A'):
        conversation->phase = PHASE_CONTENT;
        conversation->terminator = TERMINATOR_AT_LINE_START;
        conversation->message = journal_begin_message();
        reply(replies, "354 End data with <CR><LF>.<CR><LF>\r\n");
        return WAIT_INPUT;
    case VERB('Q', 'U', 'I', 'T'):
        reply(replies, "221 2.0.0 Bye\r\n");
        return WAIT_CLOSE;
    default:
        reply(replies, "500 5.5.1 Unknown command\r\n");
        return WAIT_INPUT;
    }
}

static enum wait pop3_command(const char *line, size_t count, struct replies *replies) {
    switch (verb(line, count)) {
    case VERB('S', 'T', 'A', 'T'):
        reply(replies, drop_listing);
        return WAIT_INPUT;
    case VERB('L', 'I', 'S', 'T'):
        reply(replies, scan_listing);
        return WAIT_INPUT;
    case VERB('U', 'I', 'D', 'L'):
        reply(replies, unique_ids);
        return WAIT_INPUT;
    case VERB('R', 'E', 'T', 'R'):
        append(replies, retrieval, retrieval_count);
        return WAIT_INPUT;
    case VERB('U', 'S', 'E', 'R'):
    case VERB('P', 'A', 'S', 'S'):
    case VERB('D', 'E', 'L', 'E'):
    case VERB('R', 'S', 'E', 'T'):
    case VERB('N', 'O', 'O', 'P'):
        reply(replies, "+OK\r\n");
        return WAIT_INPUT;
    case VERB('Q', 'U', 'I', 'T'):
        reply(replies, "+OK Bye\r\n");
        return WAIT_CLOSE;
    default:
        reply(replies, "-ERR Unknown command\r\n");
        return WAIT_INPUT;
    }
}

/// Looks for CR LF dot CR LF, which may be split anywhere; true when all of it has been seen.
static bool find_terminator(struct conversation *conversation, const char *octets, size_t count,
                            size_t *consumed) {
    static const char pattern[] = "\r\n.\r\n";
    const char *at = octets, *end = octets + count;
    unsigned seen = conversation->terminator;
    while (at < end && seen < TERMINATOR_OCTETS) {
        if (seen == 0) {
            at = memchr(at, '\r', (size_t)(end - at));
            if (at == NULL) break;
        }
        if (*at == pattern[seen]) {
            seen++;
        } else {
            seen = *at == '\r';
        }
        at++;
    }
    conversation->terminator = seen;
    *consumed = at == NULL ? count : (size_t)(at - octets);
    return seen == TERMINATOR_OCTETS;
}

static enum wait content(struct conversation *conversation, const char *octets, size_t count,
                         struct replies *replies, size_t *consumed) {
    bool is_complete = find_terminator(conversation, octets, count, consumed);
    if (conversation->message != NULL) {
        message_append(conversation->message, octets, *consumed);
    }
    if (!is_complete) return WAIT_INPUT;
    if (conversation->message == NULL) {
        conversation_committed(conversation, replies);
        return WAIT_INPUT;
    }
    // The dot and its line end are not content.
    conversation->message->count -= 3;
    conversation->phase = PHASE_COMMITTING;
    return WAIT_COMMIT;
}

size_t conversation_take(struct conversation *conversation, const char *octets, size_t count,
                         struct replies *replies, enum wait *wait) {
    size_t taken = 0;
    *wait = conversation->phase == PHASE_COMMITTING ? WAIT_COMMIT : WAIT_INPUT;
    while (*wait == WAIT_INPUT && taken < count) {
        size_t consumed;
        if (replies->count >= REPLIES_MAX) {
            *wait = WAIT_DRAIN;
            break;
        }
        if (conversation->phase == PHASE_CONTENT) {
            *wait = content(conversation, octets + taken, count - taken, replies, &consumed);
        } else {
            const char *line = octets + taken;
            const char *end = memchr(line, '\n', count - taken);
            if (end == NULL) break;
            consumed = (size_t)(end - line) + 1;
            *wait = conversation->protocol == PROTOCOL_SMTP
                ? smtp_command(conversation, line, consumed, replies)
                : pop3_command(line, consumed, replies);
        }
        taken += consumed;
    }
    return taken;
}
