/* SPDX-License-Identifier: Apache-2.0 */
/* getdents(2), getdents64(2). */
#pragma once

#include "base/types.h"

struct linux_dirent64 {
	u64 d_ino;
	s64 d_off;    /* position of the next entry */
	u16 d_reclen; /* a multiple of 8 */
	u8 d_type;
	char d_name[]; /* NUL-terminated, at offset 19 */
};

static_assert(offsetof(struct linux_dirent64, d_name) == 19, "ABI");

/* getdents(2): the type is the last byte of the record, at d_reclen - 1. */
struct linux_dirent {
	u64 d_ino;
	u64 d_off;
	u16 d_reclen;  /* a multiple of 8 */
	char d_name[]; /* NUL-terminated, at offset 18 */
};

static_assert(offsetof(struct linux_dirent, d_name) == 18, "ABI");

/* d_type */
#define DT_UNKNOWN 0
#define DT_FIFO    1
#define DT_CHR     2
#define DT_DIR     4
#define DT_BLK     6
#define DT_REG     8
#define DT_LNK     10
#define DT_SOCK    12
#define DT_WHT     14
