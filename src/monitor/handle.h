/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handles: how the kernel names host descriptors. A handle is generation << 12 | index, so that one used after
 * its close names nothing, whatever took its place. At most 2^20 generations fit the 32 bits that boot.h gives
 * handles made before boot, which all have generation 1.
 */
#pragma once

#include <pthread.h>

#include "abi/boot.h"
#include "abi/hostcall.h"
#include "base/types.h"

/* Kinds, as bits so that a call can name the set it takes. */
#define HANDLE_PATH   1u /* O_PATH: a root, or something to look at */
#define HANDLE_FILE   2u /* regular file */
#define HANDLE_DIR    4u /* directory that can be listed; also a root */
#define HANDLE_STREAM 8u /* standard stream */

#define HANDLE_F_WRITABLE 1u /* objects below may be changed */
#define HANDLE_F_APPEND   2u /* streams: opened with O_APPEND */

struct handle {
	/* immutable while refs > 0 */
	int fd;
	u32 kind;
	u32 flags;
	u32 stream; /* enum boot_stream_kind */
	/* guarded by handle_table.lock */
	u64 generation;
	u32 refs;
	bool open;
	/* guarded by watch_lock of the event loop */
	s32 watch_slot; /* -1: not watched */
};

struct handle_table {
	pthread_mutex_t lock;
	struct handle *slot; /* HC_HANDLES_MAX */
	u16 free[HC_HANDLES_MAX];
	u32 free_count;
};

int handle_table_init(struct handle_table *t) __must_check;
/* Closes everything. No handle may be in use. */
void handle_table_done(struct handle_table *t);

/* Takes @fd (closed on failure). Returns 0 or -EMFILE. */
int handle_install(struct handle_table *t, int fd, u32 kind, u32 flags, u64 *ret) __must_check;
/* Returns a reference to an open handle of one of @kinds, or NULL. */
struct handle *handle_get(struct handle_table *t, u64 h, u32 kinds);
/* Has it been closed since it was got? */
bool handle_is_open(struct handle_table *t, const struct handle *h);
void handle_put(struct handle_table *t, struct handle *h);
/* The descriptor stays open until the last reference is put. -EBADF: no such handle. */
int handle_close(struct handle_table *t, u64 h);
