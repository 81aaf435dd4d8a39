/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the platform in residency guest: guest.c (user code), guest_roots.c, guest_tables.c, guest_fpu.c. */
#pragma once

#include "kernel/core/cpu.h"
#include "kernel/platform/kplat.h"

struct rf_regs;

#define ARENA_SLOT 252u
static_assert((u64)ARENA_SLOT << 39 == RF_ARENA_BASE, "the arena's PML4 slot");

/* guest_tables.c */
extern const struct pt_alloc_ops guest_table_ops;
int guest_as_map(struct kas *as, uptr_t va, u64 offset, u64 len, u32 prot);
int guest_as_map_2m(struct kas *as, uptr_t va, u64 offset, u32 prot);
void guest_as_unmap(struct kas *as, uptr_t va, u64 len);
void guest_as_protect(struct kas *as, uptr_t va, u64 len, u32 mask);
bool guest_as_next(struct kas *as, uptr_t va, uptr_t end, uptr_t *ret_va, u64 *ret_offset,
		   u32 *ret_prot);

/* guest_roots.c */
extern bool
	guest_user_pcid; /* user roots (kpti.h) with PCIDs of their own: guest_user_returned() after each run of user code */
void guest_user_returned(struct cpu *c);
void guest_roots_init(void);
int guest_as_new(struct kas *as);
void guest_as_free(struct kas *as);
void guest_as_flush(struct kas *as);
/* Loads the root of `as`, whose translations may be stale still: guest_tlb_catch_up() follows before they are used. */
void guest_as_load(struct cpu *c, struct kas *as);
/* No translation of `as`, which is loaded, is older than its generation of now. */
void guest_tlb_catch_up(struct cpu *c, struct kas *as);
/* Makes user addresses mean `as`, with fresh translations. Kernel lock held. */
static inline void guest_as_activate(struct cpu *c, struct kas *as)
{
	if (unlikely((struct kas *)c->loaded_mm != as))
		guest_as_load(c, as);
	else if (unlikely(c->loaded_tlb_gen != as->tlb_gen))
		guest_tlb_catch_up(c, as);
}

/* guest_fpu.c */
void guest_fpu_init(void);
void guest_fpu_load(struct cpu *c, struct task *t);
int guest_task_init(struct task *t);
void guest_task_done(struct task *t);
void guest_task_switched(struct task *prev, struct task *next);
void guest_fpu_get(struct task *t, void *buf);
void guest_fpu_set(struct task *t, const void *buf);
void guest_fpu_reset(struct task *t);
