// SPDX-License-Identifier: Apache-2.0
//
// The state of the disk after some of the steps, kept twice for each file: as programs see it
// (live) and as the platter has it (durable). Pages of 4 KiB that differ are dirty.

#include "powercut_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096
#define SECTOR 512

typedef struct {
    unsigned char *octets;
    int64_t size, room;
} image;

typedef struct {
    image live, durable;
    unsigned char *dirty; // one flag for each page of the live image
    int64_t dirty_room;
    int exists, exists_durably;
    int64_t first_pending; // the first step whose write may be unsynced
} replayed_file;

struct powercut_replay {
    powercut_disk *disk;
    int64_t taken;
    replayed_file files[POWERCUT_FILES_MAX];
};

// MARK: - Images

static void image_resize(image *image, int64_t size) {
    if (size > image->room) {
        int64_t room = size * 2;
        image->octets = realloc(image->octets, (size_t)room);
        if (!image->octets) abort();
        memset(image->octets + image->room, 0, (size_t)(room - image->room));
        image->room = room;
    }
    if (size < image->size)
        memset(image->octets + size, 0, (size_t)(image->size - size));
    image->size = size;
}

static void image_write(image *image, int64_t offset, const unsigned char *octets, int64_t count) {
    if (offset + count > image->size) image_resize(image, offset + count);
    memcpy(image->octets + offset, octets, (size_t)count);
}

static void mark_dirty(replayed_file *file, int64_t offset, int64_t count) {
    int64_t last = (offset + count - 1) / PAGE;
    if (last >= file->dirty_room) {
        int64_t room = (last + 1) * 2;
        file->dirty = realloc(file->dirty, (size_t)room);
        if (!file->dirty) abort();
        memset(file->dirty + file->dirty_room, 0, (size_t)(room - file->dirty_room));
        file->dirty_room = room;
    }
    for (int64_t page = offset / PAGE; page <= last; page++) file->dirty[page] = 1;
}

static void clean(replayed_file *file) {
    if (file->dirty) memset(file->dirty, 0, (size_t)file->dirty_room);
}

// MARK: - Steps

/// A sync writes dirty pages and nothing else: what a failed sync left clean stays unwritten.
static void take_sync(powercut_replay *replay, replayed_file *file) {
    image_resize(&file->durable, file->live.size);
    for (int64_t page = 0; page < file->dirty_room; page++) {
        int64_t start = page * PAGE;
        if (!file->dirty[page] || start >= file->live.size) continue;
        int64_t count = file->live.size - start < PAGE ? file->live.size - start : PAGE;
        memcpy(file->durable.octets + start, file->live.octets + start, (size_t)count);
    }
    clean(file);
    file->first_pending = replay->taken;
    if (file->exists_durably) return;
    // The system's VFS syncs the directory with the first sync of a new file.
    for (int i = 0; i < replay->disk->file_count; i++)
        replay->files[i].exists_durably = replay->files[i].exists;
}

static void take(powercut_replay *replay, const powercut_step *step) {
    replayed_file *file = &replay->files[step->file];
    replay->taken++;
    switch (step->kind) {
    case POWERCUT_STEP_CREATE:
        image_resize(&file->live, 0);
        clean(file);
        file->exists = 1;
        file->first_pending = replay->taken;
        break;
    case POWERCUT_STEP_WRITE:
        image_write(&file->live, step->offset, step->octets, step->count);
        mark_dirty(file, step->offset, step->count);
        break;
    case POWERCUT_STEP_TRUNCATE:
        image_resize(&file->live, step->offset);
        break;
    case POWERCUT_STEP_SYNC:
        take_sync(replay, file);
        break;
    case POWERCUT_STEP_FAILED_SYNC:
        clean(file);
        file->first_pending = replay->taken;
        break;
    case POWERCUT_STEP_DELETE:
        file->exists = 0;
        if (step->offset) file->exists_durably = 0;
        image_resize(&file->live, 0);
        clean(file);
        break;
    }
}

powercut_replay *powercut_replay_make(powercut_disk *disk) {
    powercut_replay *replay = calloc(1, sizeof *replay);
    if (!replay) abort();
    replay->disk = disk;
    return replay;
}

void powercut_replay_free(powercut_replay *replay) {
    for (int i = 0; i < POWERCUT_FILES_MAX; i++) {
        free(replay->files[i].live.octets);
        free(replay->files[i].durable.octets);
        free(replay->files[i].dirty);
    }
    free(replay);
}

void powercut_replay_to(powercut_replay *replay, int64_t steps) {
    while (replay->taken < steps && replay->taken < replay->disk->step_count)
        take(replay, &replay->disk->steps[replay->taken]);
}

// MARK: - The loss of power

static uint64_t next_random(uint64_t *state) {
    *state += 0x9e3779b97f4a7c15u;
    uint64_t z = *state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/// Sectors of the writes since the last sync, each there or not.
static void let_some_through(powercut_replay *replay, int number, image *result, uint64_t *random) {
    replayed_file *file = &replay->files[number];
    // Some losses are nearly whole, some nearly nothing.
    uint64_t odds = next_random(random) % 101;
    for (int64_t s = file->first_pending; s < replay->taken; s++) {
        const powercut_step *step = &replay->disk->steps[s];
        if (step->file != number) continue;
        if (step->kind == POWERCUT_STEP_TRUNCATE && next_random(random) % 100 < odds)
            image_resize(result, step->offset);
        if (step->kind != POWERCUT_STEP_WRITE) continue;
        for (int64_t done = 0; done < step->count;) {
            int64_t start = step->offset + done;
            int64_t count = SECTOR - start % SECTOR;
            if (count > step->count - done) count = step->count - done;
            if (next_random(random) % 100 < odds)
                image_write(result, start, step->octets + done, count);
            done += count;
        }
    }
}

static int write_image(const image *image, const char *directory, const char *name) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *out = fopen(path, "wb");
    if (!out) return -1;
    size_t written = image->size ? fwrite(image->octets, 1, (size_t)image->size, out) : 0;
    return fclose(out) == 0 && written == (size_t)image->size ? 0 : -1;
}

int powercut_replay_write(powercut_replay *replay, uint64_t seed, const char *directory) {
    uint64_t random = seed;
    int result = 0;
    for (int i = 0; i < replay->disk->file_count; i++) {
        replayed_file *file = &replay->files[i];
        // The entry of a new or removed file may have reached the disk or not.
        int exists = file->exists_durably;
        if (seed && file->exists != file->exists_durably && next_random(&random) % 2)
            exists = file->exists;
        if (!exists) continue;
        image copy = {0};
        image_resize(&copy, file->durable.size);
        if (copy.size) memcpy(copy.octets, file->durable.octets, (size_t)copy.size);
        if (seed && file->exists) let_some_through(replay, i, &copy, &random);
        if (write_image(&copy, directory, replay->disk->names[i]) != 0) result = -1;
        free(copy.octets);
    }
    return result;
}
