// SPDX-License-Identifier: Apache-2.0
//
// The floor within TLS, as an ordinary program does it: libevent's TLS bufferevent for all input
// and output, from accept on. Sessions are kept by the clients, in OpenSSL's own tickets.

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdlib.h>

#include "transport.h"

struct connection {
    struct conversation conversation;
    struct bufferevent *stream;
    const struct endpoint *endpoint;
    bool is_closing;
};

static struct event_base *base;
static struct replies replies;
static SSL_CTX *context;

static void end_connection(struct connection *connection) {
    SSL *ssl = bufferevent_openssl_get_ssl(connection->stream);
    // A client resumes nothing when the end was not said.
    SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN);
    SSL_shutdown(ssl);
    ERR_clear_error();
    bufferevent_free(connection->stream);
    free(connection);
}

static void send_replies(struct connection *connection) {
    if (replies.count == 0) return;
    bufferevent_write(connection->stream, replies.octets, replies.count);
    replies.count = 0;
}

static void readable(struct bufferevent *stream, void *argument) {
    struct connection *connection = argument;
    struct evbuffer *input = bufferevent_get_input(stream);
    size_t count = evbuffer_get_length(input);
    enum wait wait = WAIT_INPUT;
    if (connection->is_closing || count == 0) return;
    size_t consumed = conversation_take(&connection->conversation,
                                        (const char *)evbuffer_pullup(input, -1), count, &replies,
                                        &wait);
    evbuffer_drain(input, consumed);
    connection->is_closing = wait == WAIT_CLOSE;
    send_replies(connection);
}

static void drained(struct bufferevent *stream, void *argument) {
    struct connection *connection = argument;
    (void)stream;
    if (connection->is_closing) end_connection(connection);
}

static void happened(struct bufferevent *stream, short what, void *argument) {
    struct connection *connection = argument;
    (void)stream;
    if (!(what & BEV_EVENT_CONNECTED)) {
        end_connection(connection);
        return;
    }
    conversation_begin(&connection->conversation, connection->endpoint->protocol, &replies);
    send_replies(connection);
}

static void accepted(struct evconnlistener *listener, evutil_socket_t descriptor,
                     struct sockaddr *address, int size, void *argument) {
    struct connection *connection = calloc(1, sizeof *connection);
    (void)listener;
    (void)address;
    (void)size;
    if (connection == NULL) abort();
    connection->endpoint = argument;
    connection->stream = bufferevent_openssl_socket_new(
        base, descriptor, SSL_new(context), BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (connection->stream == NULL) abort();
    bufferevent_setcb(connection->stream, readable, drained, happened, connection);
    bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
}

void serve_on_tls(const struct endpoint *endpoints, int count, const char *certificate,
                  const char *key) {
    base = event_base_new();
    context = SSL_CTX_new(TLS_server_method());
    if (base == NULL || context == NULL) abort();
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1
        || SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        ERR_print_errors_fp(stderr);
        exit(EXIT_FAILURE);
    }
    for (int index = 0; index < count; index++) {
        evconnlistener_new(base, accepted, (void *)&endpoints[index], LEV_OPT_CLOSE_ON_FREE, 0,
                           endpoints[index].descriptor);
    }
    event_base_dispatch(base);
    abort();
}
