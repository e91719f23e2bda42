// SPDX-License-Identifier: Apache-2.0
//
// What the VFS and the replay share.
#pragma once

#include "include/powercut.h"

#include <pthread.h>
#include <sqlite3.h>

#define POWERCUT_FILES_MAX 16
#define POWERCUT_NAME_MAX 64
#define POWERCUT_CALL_BITS 7

typedef enum {
    POWERCUT_STEP_CREATE,
    POWERCUT_STEP_WRITE,
    POWERCUT_STEP_TRUNCATE,
    POWERCUT_STEP_SYNC,
    POWERCUT_STEP_FAILED_SYNC,
    POWERCUT_STEP_DELETE,
} powercut_step_kind;

typedef struct {
    powercut_step_kind kind;
    int file;
    int64_t offset; // or the new size, or whether a removal is synced
    int count;
    unsigned char *octets;
} powercut_step;

struct powercut_disk {
    pthread_mutex_t mutex;
    sqlite3_vfs vfs;
    sqlite3_vfs *system;
    char vfs_name[POWERCUT_NAME_MAX];

    char names[POWERCUT_FILES_MAX][POWERCUT_NAME_MAX];
    int64_t sizes[POWERCUT_FILES_MAX];
    int file_count;

    powercut_step *steps;
    int64_t step_count, step_room;

    int64_t calls[POWERCUT_CALL_BITS];
    int fault_calls;
    char fault_suffix[POWERCUT_NAME_MAX];
    int64_t fault_after, fault_count, faults_met;
    powercut_fault fault;
    int fault_milliseconds;
    int64_t capacity;
};
