// SPDX-License-Identifier: Apache-2.0
#pragma once
// event-config.h defines _GNU_SOURCE; fd_set must be seen first, as Glibc's module saw it.
#include <sys/types.h>
#include <sys/select.h>
#include <event2/event.h>
