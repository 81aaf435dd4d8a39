/* SPDX-License-Identifier: Apache-2.0 */
/* sysinfo(2). */
#pragma once

#include "base/types.h"

/* unit of loads[]: 1.0 is 1 << SI_LOAD_SHIFT */
#define SI_LOAD_SHIFT 16

struct linux_sysinfo {
	s64 uptime; /* seconds */
	u64 loads[3];
	u64 totalram; /* units of mem_unit bytes, and so on */
	u64 freeram;
	u64 sharedram;
	u64 bufferram;
	u64 totalswap;
	u64 freeswap;
	u16 procs;
	u16 pad;
	u64 totalhigh;
	u64 freehigh;
	u32 mem_unit;
};

static_assert(sizeof(struct linux_sysinfo) == 112, "ABI");
static_assert(offsetof(struct linux_sysinfo, mem_unit) == 104, "ABI");
