/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's view of the platform: one table of operations, implemented by platform/guest.c (ring 0 does it itself) and
 * platform/host.c (through HC_PLAT_* hostcalls). Same semantics as rf_address_space_* and rf_context_* in
 * <ringfence/platform.h>. All under the kernel lock except run_user.
 */
#pragma once

#include <ringfence/platform.h>
#include "base/types.h"
#include "pagetable/pagetable.h"

struct task;

/* Platform address space, embedded in struct mm. */
struct kas {
	u64 id;                      /* host: HC_PLAT_AS_NEW id; guest: never given twice */
	struct pagetable pt;         /* guest */
	struct pt_freelist deferred; /* guest: tables to free after the flush */
	u64 *leaf; /* guest: lowest table of the 2 MiB at leaf_va, used last; NULL = none */
	uptr_t leaf_va;
	struct pt_freelist spare; /* guest: a table for each 2 MiB page, for the day it is split */
	u64 tlb_gen;              /* guest: bumped when translations must go */
	bool stale;               /* a flush is due */
	uptr_t stale_lo,
		stale_hi; /* guest: range of the due flush; lo > hi: nothing, whole space if large */
};

struct kplat_ops {
	const char *name;
	int (*as_new)(struct kas *as);
	void (*as_free)(struct kas *as);
	/* Maps [offset, offset+len) of the arena at va, replacing what is there. */
	int (*as_map)(struct kas *as, uptr_t va, u64 offset, u64 len, u32 prot);
	/*
	 * The same for 2 MiB, as one large page where the tables can have it: -EEXIST where something is mapped already, -ENOMEM. To
	 * all other calls it is 512 pages, which can be unmapped and so on one by one. NULL: not offered.
	 */
	int (*as_map_2m)(struct kas *as, uptr_t va, u64 offset, u32 prot);
	void (*as_unmap)(struct kas *as, uptr_t va, u64 len);
	/* Present pages keep only the permission bits in `mask`. */
	void (*as_protect)(struct kas *as, uptr_t va, u64 len, u32 mask);
	/* Next mapped page in [va, end). */
	bool (*as_next)(struct kas *as, uptr_t va, uptr_t end, uptr_t *ret_va, u64 *ret_offset,
			u32 *ret_prot);
	/* After return frames removed by as_unmap/as_map/as_protect may be reused. */
	void (*as_flush)(struct kas *as);
	/* User memory of the *current* address space `as`; returns bytes done before the first inaccessible page; never sleeps. */
	size_t (*copy_in)(struct kas *as, void *dst, uptr_t src, size_t n);
	size_t (*copy_out)(struct kas *as, uptr_t dst, const void *src, size_t n);
	size_t (*zero_out)(struct kas *as, uptr_t dst, size_t n);
	int (*cas_u32)(struct kas *as, uptr_t addr, u32 old, u32 new,
		       u32 *ret_old); /* 0 or -EFAULT */
	/* Per task. */
	int (*task_init)(struct task *t);
	void (*task_done)(struct task *t);
	/*
	 * Runs t's user code with t->regs until a trap. Called without the kernel lock; returns without it.
	 * t is current and its mm is t->mm.
	 */
	void (*run_user)(struct task *t, struct rf_trap *trap);
	/* FPU state as an XSAVE image (standard format, boot_info()->xsave_size bytes) of current or a task that is not running. */
	void (*fpu_get)(struct task *t, void *buf);
	void (*fpu_set)(struct task *t,
			const void *buf); /* the image must be valid: fpu_sanitize() first */
	void (*fpu_reset)(struct task *t);
	/* After current changed: on the incoming task's stack. */
	void (*task_switched)(struct task *prev, struct task *next);
};
extern const struct kplat_ops *kplat;
extern u64 kplat_large_pages; /* mapped by as_map_2m() and still in one piece */
extern const struct kplat_ops kplat_guest, kplat_host;

/* Makes an untrusted XSAVE image safe to load: XSTATE_BV within XCR0, XCOMP_BV 0, reserved bytes 0, MXCSR valid. */
void fpu_sanitize(void *buf);
