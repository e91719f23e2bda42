// SPDX-License-Identifier: Apache-2.0
//
// The two ways in which the floor carries its conversations.
#pragma once

#include "conversation.h"

struct endpoint {
    int descriptor;
    enum protocol protocol;
};

/// On libevent's bufferevents, used plainly. Does not return.
void serve_on_bufferevents(const struct endpoint *endpoints, int count);

/// On libevent's TLS bufferevents, with the same settings as Martlet. Does not return.
void serve_on_tls(const struct endpoint *endpoints, int count, const char *certificate,
                  const char *key);

/// On epoll and nothing else: what the system itself costs. Does not return.
void serve_on_epoll(const struct endpoint *endpoints, int count);
