// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport.h"

/// Octets that could not be dealt with at once.
struct remainder {
    char *octets;
    size_t count;
};

struct connection {
    int descriptor;
    bool is_closing;
    bool is_writing;
    struct conversation conversation;
    struct remainder input, output;
};

enum { TURN_EVENTS = 256, READ_OCTETS = 1 << 16, INPUT_MAX = 1 << 20 };

static int poller;
static struct replies replies;
static char read_buffer[READ_OCTETS];

static void keep(struct remainder *remainder, const char *octets, size_t count) {
    char *kept = NULL;
    if (count > 0) {
        kept = malloc(count);
        if (kept == NULL) abort();
        memcpy(kept, octets, count);
    }
    free(remainder->octets);
    remainder->octets = kept;
    remainder->count = count;
}

static void end_connection(struct connection *connection) {
    struct message *message = connection->conversation.message;
    if (message != NULL && connection->conversation.phase == PHASE_COMMITTING) {
        message->owner = NULL;
    } else {
        message_free(message);
    }
    close(connection->descriptor);
    free(connection->input.octets);
    free(connection->output.octets);
    free(connection);
}

static void watch(struct connection *connection, bool writing) {
    struct epoll_event event = {.data.ptr = connection};
    if (connection->is_writing == writing) return;
    connection->is_writing = writing;
    // A peer that does not read is not read either.
    event.events = writing ? EPOLLOUT : EPOLLIN;
    epoll_ctl(poller, EPOLL_CTL_MOD, connection->descriptor, &event);
}

/// Sends the replies of this turn, and comes back for the rest of the input when that was too much
/// for one turn.
static void send_replies(struct connection *connection, enum wait wait) {
    ssize_t sent = 0;
    if (replies.count > 0) {
        sent = send(connection->descriptor, replies.octets, replies.count, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) {
            replies.count = 0;
            return end_connection(connection);
        }
        if (sent < 0) sent = 0;
    }
    size_t rest = replies.count - (size_t)sent;
    if (rest > 0) keep(&connection->output, replies.octets + sent, rest);
    replies.count = 0;
    if (connection->is_closing && rest == 0) return end_connection(connection);
    watch(connection, rest > 0 || wait == WAIT_DRAIN);
}

/// Takes contiguous input and keeps what is not yet done with.
static void take_input(struct connection *connection, const char *octets, size_t count) {
    enum wait wait;
    size_t consumed = conversation_take(&connection->conversation, octets, count, &replies, &wait);
    if (consumed < count || connection->input.count > 0) {
        keep(&connection->input, octets + consumed, count - consumed);
    }
    connection->is_closing = wait == WAIT_CLOSE;
    if (wait == WAIT_COMMIT && connection->conversation.message->owner == NULL) {
        journal_commit(connection->conversation.message, connection);
    }
    send_replies(connection, wait);
}

static void readable(struct connection *connection) {
    ssize_t count = recv(connection->descriptor, read_buffer, sizeof read_buffer, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return end_connection(connection);
    if (connection->input.count == 0) {
        take_input(connection, read_buffer, (size_t)count);
        return;
    }
    if (connection->input.count + (size_t)count > INPUT_MAX) return end_connection(connection);
    struct remainder joined = {malloc(connection->input.count + (size_t)count), 0};
    if (joined.octets == NULL) abort();
    memcpy(joined.octets, connection->input.octets, connection->input.count);
    memcpy(joined.octets + connection->input.count, read_buffer, (size_t)count);
    joined.count = connection->input.count + (size_t)count;
    take_input(connection, joined.octets, joined.count);
    free(joined.octets);
}

/// Goes on with input that was kept.
static void take_kept(struct connection *connection) {
    struct remainder kept = connection->input;
    connection->input = (struct remainder){0};
    take_input(connection, kept.octets, kept.count);
    free(kept.octets);
}

static void writable(struct connection *connection) {
    struct remainder kept = connection->output;
    connection->output = (struct remainder){0};
    ssize_t sent = send(connection->descriptor, kept.octets, kept.count, MSG_NOSIGNAL);
    bool has_failed = sent < 0 && errno != EAGAIN;
    if (sent < 0) sent = 0;
    if (!has_failed) keep(&connection->output, kept.octets + sent, kept.count - (size_t)sent);
    free(kept.octets);
    bool is_drained = connection->output.count == 0;
    if (has_failed || (is_drained && connection->is_closing)) {
        end_connection(connection);
    } else if (is_drained) {
        take_kept(connection);
    }
}

static void accept_connections(const struct endpoint *endpoint) {
    for (;;) {
        int descriptor = accept4(endpoint->descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) return;
        struct connection *connection = calloc(1, sizeof *connection);
        if (connection == NULL) abort();
        connection->descriptor = descriptor;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
        conversation_begin(&connection->conversation, endpoint->protocol, &replies);
        send_replies(connection, WAIT_INPUT);
    }
}

static void committed(void) {
    struct message *message = journal_take_committed();
    while (message != NULL) {
        struct message *next = message->next;
        struct connection *connection = message->owner;
        message_free(message);
        if (connection != NULL) {
            conversation_committed(&connection->conversation, &replies);
            take_kept(connection);
        }
        message = next;
    }
}

void serve_on_epoll(const struct endpoint *endpoints, int count) {
    static const char journal_mark;
    struct epoll_event events[TURN_EVENTS];
    poller = epoll_create1(EPOLL_CLOEXEC);
    for (int index = 0; index < count; index++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = (void *)&endpoints[index]};
        epoll_ctl(poller, EPOLL_CTL_ADD, endpoints[index].descriptor, &event);
    }
    if (journal_descriptor() >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = (void *)&journal_mark};
        epoll_ctl(poller, EPOLL_CTL_ADD, journal_descriptor(), &event);
    }
    for (;;) {
        int ready = epoll_wait(poller, events, TURN_EVENTS, -1);
        bool has_committed = false;
        for (int index = 0; index < ready; index++) {
            const void *what = events[index].data.ptr;
            if (what == &journal_mark) {
                // After the others: an answer may free a connection that has an event here.
                has_committed = true;
            } else if (what >= (const void *)endpoints
                       && what < (const void *)(endpoints + count)) {
                accept_connections(what);
            } else if (events[index].events & EPOLLOUT) {
                writable(events[index].data.ptr);
            } else {
                readable(events[index].data.ptr);
            }
        }
        if (has_committed) committed();
    }
}
