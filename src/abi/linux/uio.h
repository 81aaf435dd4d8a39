/* SPDX-License-Identifier: Apache-2.0 */
/* readv(2), preadv2(2), process_vm_readv(2). */
#pragma once

#include "base/types.h"

struct linux_iovec {
	u64 iov_base;
	u64 iov_len;
};

static_assert(sizeof(struct linux_iovec) == 16, "ABI");

/* limits */
#define UIO_FASTIOV 8
#define UIO_MAXIOV  1024
#define IOV_MAX     1024

/* the most a single read or write transfers (read(2), NOTES) */
#define MAX_RW_COUNT 0x7ffff000

/* preadv2(2) */
#define RWF_HIPRI     0x1
#define RWF_DSYNC     0x2
#define RWF_SYNC      0x4
#define RWF_NOWAIT    0x8
#define RWF_APPEND    0x10
#define RWF_NOAPPEND  0x20
#define RWF_ATOMIC    0x40
#define RWF_SUPPORTED 0x1f
