// SPDX-License-Identifier: Apache-2.0

#include "powercut_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// MARK: - The record

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/// The number of a file, by its name without directories; new names get new numbers.
static int file_number(powercut_disk *disk, const char *path) {
    const char *name = base_name(path);
    for (int i = 0; i < disk->file_count; i++)
        if (strcmp(disk->names[i], name) == 0) return i;
    if (disk->file_count == POWERCUT_FILES_MAX) abort();
    snprintf(disk->names[disk->file_count], POWERCUT_NAME_MAX, "%s", name);
    disk->sizes[disk->file_count] = 0;
    return disk->file_count++;
}

static void record(powercut_disk *disk, powercut_step_kind kind, int file, int64_t offset,
                   const void *octets, int count) {
    if (disk->step_count == disk->step_room) {
        disk->step_room = disk->step_room ? disk->step_room * 2 : 1024;
        disk->steps = realloc(disk->steps, (size_t)disk->step_room * sizeof(powercut_step));
        if (!disk->steps) abort();
    }
    powercut_step *step = &disk->steps[disk->step_count++];
    *step = (powercut_step){.kind = kind, .file = file, .offset = offset, .count = count};
    if (count > 0) {
        step->octets = malloc((size_t)count);
        if (!step->octets) abort();
        memcpy(step->octets, octets, (size_t)count);
    }
}

// MARK: - Faults

static int ends_with(const char *name, const char *suffix) {
    size_t name_count = strlen(name), suffix_count = strlen(suffix);
    return name_count >= suffix_count && strcmp(name + name_count - suffix_count, suffix) == 0;
}

/// Counts the call; returns the fault it meets, or 0. The disk is locked.
static int meets_fault(powercut_disk *disk, powercut_call call, const char *name) {
    for (int bit = 0; bit < POWERCUT_CALL_BITS; bit++)
        if (call == 1 << bit) disk->calls[bit]++;
    if (!(disk->fault_calls & call)) return 0;
    if (disk->fault_suffix[0] && !(name && ends_with(name, disk->fault_suffix))) return 0;
    if (disk->fault_after > 0) {
        disk->fault_after--;
        return 0;
    }
    if (disk->fault_count == 0) return 0;
    disk->fault_count--;
    disk->faults_met++;
    return disk->fault;
}

/// As above; a delay is spent here, with the disk unlocked.
static int fault_of(powercut_disk *disk, powercut_call call, const char *name) {
    int fault = meets_fault(disk, call, name);
    if (fault != POWERCUT_DELAY) return fault;
    int milliseconds = disk->fault_milliseconds;
    pthread_mutex_unlock(&disk->mutex);
    usleep((useconds_t)milliseconds * 1000);
    pthread_mutex_lock(&disk->mutex);
    return 0;
}

static int64_t total_size(powercut_disk *disk) {
    int64_t total = 0;
    for (int i = 0; i < disk->file_count; i++) total += disk->sizes[i];
    return total;
}

static int exceeds_capacity(powercut_disk *disk, int file, int64_t end) {
    if (disk->capacity < 0 || end <= disk->sizes[file]) return 0;
    return total_size(disk) + end - disk->sizes[file] > disk->capacity;
}

// MARK: - Files

typedef struct {
    sqlite3_file base;
    powercut_disk *disk;
    sqlite3_file *real;
    int number;
} powercut_file;

#define FILE_OF(file) ((powercut_file *)(file))
#define REAL(file) (FILE_OF(file)->real)
#define LOCK(disk) pthread_mutex_lock(&(disk)->mutex)
#define UNLOCK(disk) pthread_mutex_unlock(&(disk)->mutex)

static int file_close(sqlite3_file *file) {
    int code = REAL(file)->pMethods ? REAL(file)->pMethods->xClose(REAL(file)) : SQLITE_OK;
    free(REAL(file));
    return code;
}

static int file_read(sqlite3_file *file, void *octets, int count, sqlite3_int64 offset) {
    powercut_disk *disk = FILE_OF(file)->disk;
    LOCK(disk);
    int fault = fault_of(disk, POWERCUT_READ, disk->names[FILE_OF(file)->number]);
    UNLOCK(disk);
    if (fault) return SQLITE_IOERR_READ;
    return REAL(file)->pMethods->xRead(REAL(file), octets, count, offset);
}

static int file_write(sqlite3_file *file, const void *octets, int count, sqlite3_int64 offset) {
    powercut_disk *disk = FILE_OF(file)->disk;
    int number = FILE_OF(file)->number;
    LOCK(disk);
    int fault = fault_of(disk, POWERCUT_WRITE, disk->names[number]);
    if (!fault && exceeds_capacity(disk, number, offset + count)) fault = POWERCUT_FULL;
    int code = fault == POWERCUT_FULL ? SQLITE_FULL : fault ? SQLITE_IOERR_WRITE : SQLITE_OK;
    int written = count;
    if (code != SQLITE_OK) {
        // What failed may have come half the way.
        written = fault == POWERCUT_FULL ? 0 : count / 2;
    }
    if (written > 0) {
        int real = REAL(file)->pMethods->xWrite(REAL(file), octets, written, offset);
        if (code == SQLITE_OK) code = real;
        record(disk, POWERCUT_STEP_WRITE, number, offset, octets, written);
        if (offset + written > disk->sizes[number]) disk->sizes[number] = offset + written;
    }
    UNLOCK(disk);
    return code;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
    powercut_disk *disk = FILE_OF(file)->disk;
    int number = FILE_OF(file)->number;
    LOCK(disk);
    int code = SQLITE_OK;
    if (fault_of(disk, POWERCUT_TRUNCATE, disk->names[number])) {
        code = SQLITE_IOERR_TRUNCATE;
    } else {
        code = REAL(file)->pMethods->xTruncate(REAL(file), size);
        record(disk, POWERCUT_STEP_TRUNCATE, number, size, 0, 0);
        if (size < disk->sizes[number]) disk->sizes[number] = size;
    }
    UNLOCK(disk);
    return code;
}

static int file_sync(sqlite3_file *file, int flags) {
    powercut_disk *disk = FILE_OF(file)->disk;
    int number = FILE_OF(file)->number;
    (void)flags;
    LOCK(disk);
    int fault = fault_of(disk, POWERCUT_SYNC, disk->names[number]);
    // The real file needs no sync: the power of the machine stays on.
    record(disk, fault ? POWERCUT_STEP_FAILED_SYNC : POWERCUT_STEP_SYNC, number, 0, 0, 0);
    UNLOCK(disk);
    return fault ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
    return REAL(file)->pMethods->xFileSize(REAL(file), size);
}

static int file_lock(sqlite3_file *file, int level) {
    return REAL(file)->pMethods->xLock(REAL(file), level);
}

static int file_unlock(sqlite3_file *file, int level) {
    return REAL(file)->pMethods->xUnlock(REAL(file), level);
}

static int file_check_lock(sqlite3_file *file, int *is_reserved) {
    return REAL(file)->pMethods->xCheckReservedLock(REAL(file), is_reserved);
}

static int file_control(sqlite3_file *file, int operation, void *argument) {
    // Room that is asked for ahead would bypass the record.
    if (operation == SQLITE_FCNTL_SIZE_HINT) return SQLITE_OK;
    return REAL(file)->pMethods->xFileControl(REAL(file), operation, argument);
}

static int file_sector_size(sqlite3_file *file) {
    return REAL(file)->pMethods->xSectorSize(REAL(file));
}

static int file_characteristics(sqlite3_file *file) {
    return REAL(file)->pMethods->xDeviceCharacteristics(REAL(file));
}

static int file_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out) {
    powercut_disk *disk = FILE_OF(file)->disk;
    LOCK(disk);
    int fault = fault_of(disk, POWERCUT_SHM_MAP, disk->names[FILE_OF(file)->number]);
    UNLOCK(disk);
    if (fault == POWERCUT_FULL) return SQLITE_IOERR_SHMSIZE;
    if (fault) return SQLITE_IOERR_SHMMAP;
    return REAL(file)->pMethods->xShmMap(REAL(file), region, size, extend, out);
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
    return REAL(file)->pMethods->xShmLock(REAL(file), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *file) {
    REAL(file)->pMethods->xShmBarrier(REAL(file));
}

static int file_shm_unmap(sqlite3_file *file, int removes) {
    return REAL(file)->pMethods->xShmUnmap(REAL(file), removes);
}

static const sqlite3_io_methods file_methods = {
    2, file_close, file_read, file_write, file_truncate, file_sync, file_size, file_lock,
    file_unlock, file_check_lock, file_control, file_sector_size, file_characteristics,
    file_shm_map, file_shm_lock, file_shm_barrier, file_shm_unmap, 0, 0,
};

// MARK: - The VFS

static powercut_disk *disk_of(sqlite3_vfs *vfs) { return vfs->pAppData; }

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                    int *flags_out) {
    powercut_disk *disk = disk_of(vfs);
    file->pMethods = 0;
    LOCK(disk);
    int fault = fault_of(disk, POWERCUT_OPEN, name);
    int is_new = name && access(name, F_OK) != 0;
    UNLOCK(disk);
    if (fault) return fault == POWERCUT_FULL ? SQLITE_FULL : SQLITE_CANTOPEN;
    powercut_file *opened = FILE_OF(file);
    opened->disk = disk;
    opened->real = calloc(1, (size_t)disk->system->szOsFile);
    if (!opened->real) return SQLITE_NOMEM;
    int code = disk->system->xOpen(disk->system, name, opened->real, flags, flags_out);
    if (code != SQLITE_OK) {
        free(opened->real);
        return code;
    }
    LOCK(disk);
    int known = disk->file_count;
    opened->number = file_number(disk, name ? name : "temporary");
    if (is_new || opened->number == known)
        record(disk, POWERCUT_STEP_CREATE, opened->number, 0, 0, 0);
    // The store has made the empty file and synced its entry.
    if (!is_new && opened->number == known)
        record(disk, POWERCUT_STEP_SYNC, opened->number, 0, 0, 0);
    UNLOCK(disk);
    file->pMethods = &file_methods;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int syncs_directory) {
    powercut_disk *disk = disk_of(vfs);
    LOCK(disk);
    int fault = fault_of(disk, POWERCUT_DELETE, name);
    int code = fault ? SQLITE_IOERR_DELETE
                     : disk->system->xDelete(disk->system, name, syncs_directory);
    if (code == SQLITE_OK) {
        int number = file_number(disk, name);
        record(disk, POWERCUT_STEP_DELETE, number, syncs_directory, 0, 0);
        disk->sizes[number] = 0;
    }
    UNLOCK(disk);
    return code;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *result) {
    return disk_of(vfs)->system->xAccess(disk_of(vfs)->system, name, flags, result);
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int count, char *path) {
    return disk_of(vfs)->system->xFullPathname(disk_of(vfs)->system, name, count, path);
}

static int vfs_randomness(sqlite3_vfs *vfs, int count, char *octets) {
    return disk_of(vfs)->system->xRandomness(disk_of(vfs)->system, count, octets);
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds) {
    return disk_of(vfs)->system->xSleep(disk_of(vfs)->system, microseconds);
}

static int vfs_time(sqlite3_vfs *vfs, sqlite3_int64 *time) {
    return disk_of(vfs)->system->xCurrentTimeInt64(disk_of(vfs)->system, time);
}

static int vfs_last_error(sqlite3_vfs *vfs, int count, char *text) {
    return disk_of(vfs)->system->xGetLastError(disk_of(vfs)->system, count, text);
}

// MARK: - The disk

powercut_disk *powercut_make(const char *vfs) {
    powercut_disk *disk = calloc(1, sizeof *disk);
    if (!disk) abort();
    sqlite3_initialize();
    disk->system = sqlite3_vfs_find(0);
    disk->capacity = -1;
    snprintf(disk->vfs_name, sizeof disk->vfs_name, "%s", vfs);
    pthread_mutex_init(&disk->mutex, 0);
    disk->vfs = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = sizeof(powercut_file),
        .mxPathname = disk->system->mxPathname,
        .zName = disk->vfs_name,
        .pAppData = disk,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_path,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xGetLastError = vfs_last_error,
        .xCurrentTimeInt64 = vfs_time,
    };
    sqlite3_vfs_register(&disk->vfs, 0);
    return disk;
}

void powercut_free(powercut_disk *disk) {
    sqlite3_vfs_unregister(&disk->vfs);
    for (int64_t i = 0; i < disk->step_count; i++) free(disk->steps[i].octets);
    free(disk->steps);
    pthread_mutex_destroy(&disk->mutex);
    free(disk);
}

void powercut_adopt(powercut_disk *disk, const char *path) {
    FILE *in = fopen(path, "rb");
    if (!in) return;
    LOCK(disk);
    int number = file_number(disk, path);
    record(disk, POWERCUT_STEP_CREATE, number, 0, 0, 0);
    unsigned char octets[1 << 16];
    for (size_t count; (count = fread(octets, 1, sizeof octets, in)) > 0;) {
        record(disk, POWERCUT_STEP_WRITE, number, disk->sizes[number], octets, (int)count);
        disk->sizes[number] += (int64_t)count;
    }
    record(disk, POWERCUT_STEP_SYNC, number, 0, 0, 0);
    UNLOCK(disk);
    fclose(in);
}

int64_t powercut_steps(powercut_disk *disk) {
    LOCK(disk);
    int64_t count = disk->step_count;
    UNLOCK(disk);
    return count;
}

int64_t powercut_calls(powercut_disk *disk, int calls) {
    LOCK(disk);
    int64_t count = 0;
    for (int bit = 0; bit < POWERCUT_CALL_BITS; bit++)
        if (calls & 1 << bit) count += disk->calls[bit];
    UNLOCK(disk);
    return count;
}

void powercut_set_fault(powercut_disk *disk, int calls, powercut_suffix suffix, int64_t after,
                        int64_t count, powercut_fault fault, int milliseconds) {
    LOCK(disk);
    disk->fault_calls = calls;
    snprintf(disk->fault_suffix, sizeof disk->fault_suffix, "%s", suffix ? suffix : "");
    disk->fault_after = after;
    disk->fault_count = count;
    disk->fault = fault;
    disk->fault_milliseconds = milliseconds;
    disk->faults_met = 0;
    UNLOCK(disk);
}

void powercut_clear_fault(powercut_disk *disk) {
    LOCK(disk);
    disk->fault_calls = 0;
    UNLOCK(disk);
}

int64_t powercut_faults_met(powercut_disk *disk) {
    LOCK(disk);
    int64_t count = disk->faults_met;
    UNLOCK(disk);
    return count;
}

void powercut_set_capacity(powercut_disk *disk, int64_t octets) {
    LOCK(disk);
    disk->capacity = octets;
    UNLOCK(disk);
}

int64_t powercut_octets(powercut_disk *disk) {
    LOCK(disk);
    int64_t octets = total_size(disk);
    UNLOCK(disk);
    return octets;
}
