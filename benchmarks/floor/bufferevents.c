// SPDX-License-Identifier: Apache-2.0

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "transport.h"

struct connection {
    struct conversation conversation;
    struct bufferevent *stream;
    bool is_closing;
};

// More than this is copied together at once only when a line is split over extents.
enum { PULLUP_OCTETS = 4096 };
// A peer that does not read its replies is not served any further.
enum { OUTPUT_MAX = 1 << 18 };

static struct event_base *base;
static struct replies replies;

static void end_connection(struct connection *connection) {
    struct message *message = connection->conversation.message;
    if (message != NULL && connection->conversation.phase == PHASE_COMMITTING) {
        message->owner = NULL;
    } else {
        message_free(message);
    }
    bufferevent_free(connection->stream);
    free(connection);
}

static void send_replies(struct connection *connection) {
    if (replies.count == 0) return;
    bufferevent_write(connection->stream, replies.octets, replies.count);
    replies.count = 0;
}

static void take_input(struct connection *connection) {
    struct evbuffer *input = bufferevent_get_input(connection->stream);
    struct evbuffer *output = bufferevent_get_output(connection->stream);
    enum wait wait = WAIT_INPUT;
    if (evbuffer_get_length(output) >= OUTPUT_MAX) return;
    while (wait == WAIT_INPUT) {
        struct evbuffer_iovec extent;
        if (evbuffer_peek(input, -1, NULL, &extent, 1) < 1) break;
        size_t consumed = conversation_take(&connection->conversation, extent.iov_base,
                                            extent.iov_len, &replies, &wait);
        size_t rest = evbuffer_get_length(input) - consumed;
        bool is_split = consumed == 0 && rest > extent.iov_len;
        evbuffer_drain(input, consumed);
        if (wait != WAIT_INPUT || rest == 0) break;
        if (consumed == 0 && !is_split) break;
        if (is_split) evbuffer_pullup(input, rest < PULLUP_OCTETS ? (ssize_t)rest : PULLUP_OCTETS);
    }
    send_replies(connection);
    if (wait == WAIT_COMMIT) {
        // Read on only when the answer is there; what has come stays in the buffer.
        bufferevent_disable(connection->stream, EV_READ);
        journal_commit(connection->conversation.message, connection);
    } else if (wait == WAIT_CLOSE) {
        connection->is_closing = true;
        bufferevent_disable(connection->stream, EV_READ);
    }
}

static void readable(struct bufferevent *stream, void *context) {
    struct connection *connection = context;
    (void)stream;
    if (!connection->is_closing) take_input(connection);
}

static void drained(struct bufferevent *stream, void *context) {
    struct connection *connection = context;
    if (connection->is_closing) {
        end_connection(connection);
    } else if (evbuffer_get_length(bufferevent_get_input(stream)) > 0
               && connection->conversation.phase != PHASE_COMMITTING) {
        take_input(connection);
    }
}

static void happened(struct bufferevent *stream, short what, void *context) {
    (void)stream;
    (void)what;
    end_connection(context);
}

static void committed(evutil_socket_t descriptor, short what, void *context) {
    (void)descriptor;
    (void)what;
    (void)context;
    struct message *message = journal_take_committed();
    while (message != NULL) {
        struct message *next = message->next;
        struct connection *connection = message->owner;
        message_free(message);
        if (connection != NULL) {
            conversation_committed(&connection->conversation, &replies);
            bufferevent_enable(connection->stream, EV_READ);
            take_input(connection);
        }
        message = next;
    }
}

static void accepted(struct evconnlistener *listener, evutil_socket_t descriptor,
                     struct sockaddr *address, int size, void *context) {
    const struct endpoint *endpoint = context;
    struct connection *connection = calloc(1, sizeof *connection);
    (void)listener;
    (void)address;
    (void)size;
    if (connection == NULL) abort();
    connection->stream = bufferevent_socket_new(base, descriptor, BEV_OPT_CLOSE_ON_FREE);
    if (connection->stream == NULL) abort();
    bufferevent_setcb(connection->stream, readable, drained, happened, connection);
    bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
    conversation_begin(&connection->conversation, endpoint->protocol, &replies);
    send_replies(connection);
}

void serve_on_bufferevents(const struct endpoint *endpoints, int count) {
    base = event_base_new();
    if (base == NULL) abort();
    for (int index = 0; index < count; index++) {
        evconnlistener_new(base, accepted, (void *)&endpoints[index], LEV_OPT_CLOSE_ON_FREE, 0,
                           endpoints[index].descriptor);
    }
    if (journal_descriptor() >= 0) {
        struct event *wake = event_new(base, journal_descriptor(), EV_READ | EV_PERSIST, committed,
                                       NULL);
        event_add(wake, NULL);
    }
    event_base_dispatch(base);
    abort();
}
