// SPDX-License-Identifier: Apache-2.0

#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    MESSAGE_CAPACITY = 1 << 14,
    // Two extents a message, and IOV_MAX is 1024.
    MESSAGES_PER_WRITE = 512,
};

static int log_descriptor = -1, committed_descriptor = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrival = PTHREAD_COND_INITIALIZER;
static struct message *waiting, *committed;

static void fail(const char *what) {
    perror(what);
    exit(EXIT_FAILURE);
}

/// Writes the extents whole, whatever the system takes at once.
static void write_whole(struct iovec *extents, int count) {
    while (count > 0) {
        ssize_t written = writev(log_descriptor, extents, count);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail("writev");
        while (count > 0 && (size_t)written >= extents->iov_len) {
            written -= (ssize_t)extents->iov_len;
            extents++;
            count--;
        }
        if (count > 0) {
            extents->iov_base = (char *)extents->iov_base + written;
            extents->iov_len -= (size_t)written;
        }
    }
}

static struct message *write_group(struct message *messages) {
    struct iovec extents[2 * MESSAGES_PER_WRITE];
    struct message *last = messages, *message = messages;
    while (message != NULL) {
        int count = 0;
        for (; message != NULL && count < 2 * MESSAGES_PER_WRITE; message = message->next) {
            extents[count++] = (struct iovec){&message->count, sizeof message->count};
            extents[count++] = (struct iovec){message->octets, message->count};
            last = message;
        }
        write_whole(extents, count);
    }
    if (fdatasync(log_descriptor) != 0) fail("fdatasync");
    return last;
}

static void *write_messages(void *unused) {
    const uint64_t one = 1;
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&lock);
        while (waiting == NULL) pthread_cond_wait(&arrival, &lock);
        struct message *group = waiting;
        waiting = NULL;
        pthread_mutex_unlock(&lock);

        struct message *last = write_group(group);

        pthread_mutex_lock(&lock);
        last->next = committed;
        committed = group;
        pthread_mutex_unlock(&lock);
        if (write(committed_descriptor, &one, sizeof one) < 0) fail("eventfd");
    }
    return NULL;
}

void journal_open(const char *path) {
    pthread_t thread;
    log_descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (log_descriptor < 0) fail(path);
    committed_descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (committed_descriptor < 0) fail("eventfd");
    errno = pthread_create(&thread, NULL, write_messages, NULL);
    if (errno != 0) fail("pthread_create");
}

struct message *journal_begin_message(void) {
    if (log_descriptor < 0) return NULL;
    struct message *message = calloc(1, sizeof *message);
    if (message == NULL) abort();
    message->capacity = MESSAGE_CAPACITY;
    message->octets = malloc(message->capacity);
    if (message->octets == NULL) abort();
    return message;
}

void message_append(struct message *message, const char *octets, size_t count) {
    if (message->capacity - message->count < count) {
        message->capacity = 2 * (message->capacity + count);
        message->octets = realloc(message->octets, message->capacity);
        if (message->octets == NULL) abort();
    }
    memcpy(message->octets + message->count, octets, count);
    message->count += count;
}

void message_free(struct message *message) {
    if (message == NULL) return;
    free(message->octets);
    free(message);
}

void journal_commit(struct message *message, void *owner) {
    message->owner = owner;
    pthread_mutex_lock(&lock);
    int is_first = waiting == NULL;
    message->next = waiting;
    waiting = message;
    pthread_mutex_unlock(&lock);
    if (is_first) pthread_cond_signal(&arrival);
}

int journal_descriptor(void) { return committed_descriptor; }

struct message *journal_take_committed(void) {
    uint64_t count;
    if (read(committed_descriptor, &count, sizeof count) < 0 && errno != EAGAIN) fail("eventfd");
    pthread_mutex_lock(&lock);
    struct message *messages = committed;
    committed = NULL;
    pthread_mutex_unlock(&lock);
    return messages;
}
