// SPDX-License-Identifier: Apache-2.0
//
// What a process gives up for good: system calls that the C library has no function for, or one
// with a variable argument list. Landlock's numbers and structures are written out, because the
// kernel that runs this may be newer than the headers that it was built with; they never change.

#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    clinux_landlock_create_ruleset_number = 444,
    clinux_landlock_add_rule_number = 445,
    clinux_landlock_restrict_self_number = 446,
};

struct clinux_landlock_ruleset {
    uint64_t files;
    uint64_t ports;
    uint64_t scopes;
};

// The version of Landlock that the kernel offers, or less than 1.
static inline int clinux_landlock_version(void) {
    return (int)syscall(clinux_landlock_create_ruleset_number, NULL, 0, 1);
}

// A set of rules for these kinds of access, or -1. Older kernels know a shorter structure.
static inline int clinux_landlock_create(
    int version, struct clinux_landlock_ruleset handled) {
    size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    return (int)syscall(clinux_landlock_create_ruleset_number, &handled, size, 0);
}

// Allows access to a file, or to everything below a directory. 0, or -1 with errno.
static inline int clinux_landlock_allow_path(int ruleset, const char *path, uint64_t access) {
    struct {
        uint64_t access;
        int32_t parent;
    } __attribute__((packed)) rule;
    // The name that needs no _GNU_SOURCE, which would change the types of other modules.
    int descriptor = open(path, __O_PATH | O_CLOEXEC);
    if (descriptor < 0) return -1;
    rule.access = access;
    rule.parent = descriptor;
    int result = (int)syscall(clinux_landlock_add_rule_number, ruleset, 1, &rule, 0);
    int error = errno;
    close(descriptor);
    errno = error;
    return result;
}

static inline int clinux_landlock_allow_port(int ruleset, uint64_t access, uint64_t port) {
    uint64_t rule[2] = {access, port};
    return (int)syscall(clinux_landlock_add_rule_number, ruleset, 2, rule, 0);
}

// Holds for the calling thread and for all that it starts from now on.
static inline int clinux_landlock_restrict_self(int ruleset) {
    return (int)syscall(clinux_landlock_restrict_self_number, ruleset, 0);
}

static inline int clinux_forbid_new_privileges(void) {
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

// No core is written, and no other process of the same user may look into this one.
static inline int clinux_forbid_core_dumps(void) {
    const struct rlimit none = {0, 0};
    int limited = setrlimit(RLIMIT_CORE, &none);
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? limited : -1;
}
