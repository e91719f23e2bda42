/* SPDX-License-Identifier: Apache-2.0
 *
 * Counts heap allocations, for tests that promise none. Whoever links this gets a malloc of its own
 * in front of the C library's, which counts and passes on. */

#ifndef C_ALLOCATION_COUNT_H
#define C_ALLOCATION_COUNT_H

/* How often this thread has called malloc, calloc, realloc, posix_memalign or aligned_alloc; -1
 * where another allocator is in front, as under a sanitizer. */
long callocationcount_of_this_thread(void);

#endif
