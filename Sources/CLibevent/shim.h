// SPDX-License-Identifier: Apache-2.0
//
// libevent as the importer can see it: its headers, and what they offer only as macros.
#pragma once

// event-config.h defines _GNU_SOURCE, which changes fd_set: these two must come first, so that the
// types are the ones that Glibc's module has.
#include <sys/types.h>
#include <sys/select.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <malloc.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/// How many octets the system has received and nobody has read; ioctl is variadic.
static inline int clibevent_unread(int descriptor, int *count) {
    return ioctl(descriptor, FIONREAD, count);
}

/// Fills in a Unix socket's address; -1 when the path is too long.
static inline int clibevent_unix_address(struct sockaddr_un *address, const char *path) {
    size_t length = 0;
    address->sun_family = AF_UNIX;
    while (path[length] != 0) {
        if (length + 1 >= sizeof address->sun_path) return -1;
        address->sun_path[length] = path[length];
        length++;
    }
    address->sun_path[length] = 0;
    return 0;
}

/// The user id of the process at the other end of a Unix socket, or -1.
static inline long clibevent_peer_user(int descriptor) {
    struct { int pid; unsigned uid; unsigned gid; } peer;
    socklen_t length = sizeof peer;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return -1;
    return (long)peer.uid;
}

/// An eventfd; its flags are an enum that Glibc's module does not show.
static inline int clibevent_eventfd(int nonblocking) {
    return eventfd(0, EFD_CLOEXEC | (nonblocking ? EFD_NONBLOCK : 0));
}

/// Sends three runs of octets in one call, as send() does with MSG_NOSIGNAL.
static inline ssize_t clibevent_send(
    int descriptor, const void *first, size_t first_count, const void *second,
    size_t second_count, const void *third, size_t third_count) {
    struct iovec parts[] = {
        {(void *)first, first_count}, {(void *)second, second_count}, {(void *)third, third_count}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
    return sendmsg(descriptor, &message, MSG_NOSIGNAL);
}

/// Names the calling thread for ps and gdb; prctl is variadic.
static inline void clibevent_name_thread(const char *name) {
    (void)prctl(PR_SET_NAME, name, 0, 0, 0);
}

/// Raises the limit of file descriptors towards `wanted` and returns the one in force.
static inline long clibevent_raise_descriptors(long wanted) {
    struct rlimit limit, raised;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < (rlim_t)wanted) {
        raised.rlim_cur = (rlim_t)wanted;
        raised.rlim_max = limit.rlim_max < (rlim_t)wanted ? (rlim_t)wanted : limit.rlim_max;
        // Only root may raise the hard limit.
        if (setrlimit(RLIMIT_NOFILE, &raised) != 0) {
            raised.rlim_max = limit.rlim_max;
            raised.rlim_cur = limit.rlim_max < (rlim_t)wanted ? limit.rlim_max : (rlim_t)wanted;
            (void)setrlimit(RLIMIT_NOFILE, &raised);
        }
        (void)getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur == RLIM_INFINITY ? wanted : (long)limit.rlim_cur;
}

/// Lets each heap keep so many freed octets at its end, instead of giving them back at once, and
/// take blocks up to that size from what it has kept.
static inline void clibevent_keep_freed_memory(int octets) {
    (void)mallopt(M_TRIM_THRESHOLD, octets);
    (void)mallopt(M_MMAP_THRESHOLD, octets);
}
