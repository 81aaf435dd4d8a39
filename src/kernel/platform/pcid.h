/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which process-context identifier (PCID) an address space gets on a CPU, and whether loading it must flush. Pure: the caller loads
 * CR3 as it is told.
 *
 * SDM vol. 3A §4.10.1 "Process-Context Identifiers (PCIDs)": translations are cached under the PCID current when they were made,
 * and only those of the current PCID are used. MOV to CR3 with bit 63 clear drops what is cached under the PCID it
 * loads, with bit 63 set it drops nothing (§4.10.4.1).
 *
 * Each CPU has PCID_SLOTS slots; slot i is PCID i + 1. PCID 0 is the kernel's own root, which never changes. With two roots an
 * address space (KPTI) its user root has the kernel root's PCID | PCID_USER.
 *
 * Invariants, for each CPU and each slot {as_id, tlb_gen}:
 *   1. What is cached under the slot's PCID was made from the tables of address space as_id, at a time when all changes that
 *	generation tlb_gen stands for had been stored. So a load for {id, gen} need not flush if it finds {id, gen}.
 *   2. The id of an address space is 64 bits long and never given twice: a slot of one that is gone is never found.
 *   3. A slot changes its owner only together with a load that flushes its PCID.
 *   4. user_stale is set whenever 1 holds for the PCID but not yet for PCID | PCID_USER; cleared once that has been loaded with a flush.
 * A CPU on which an address space is not loaded gets no shootdown. Its slot stays behind the address space's generation, which by 1
 * makes its next load flush. Until then nothing uses what is cached under that PCID, so frames and tables may be
 * reused meanwhile.
 */
#pragma once

#include "base/types.h"

#define PCID_SLOTS 6u
#define PCID_USER  0x800u

struct pcid_slot {
	u64 as_id; /* 0: never used */
	u64 tlb_gen;
	bool user_stale;
};

/* All zero at the start. */
struct pcid_table {
	struct pcid_slot slot[PCID_SLOTS];
	u32 next; /* the slot to take next */
};

struct pcid_load {
	u32 pcid;
	bool flush;      /* load with bit 63 clear */
	bool flush_user; /* the same for pcid | PCID_USER, which is to follow */
};

/* The address space `as_id` is to be loaded, and its generation is `tlb_gen`, read after it was announced as loaded. */
struct pcid_load pcid_choose(struct pcid_table *t, u64 as_id, u64 tlb_gen);
/* The PCID, loaded, was flushed after its address space had reached `tlb_gen`. */
void pcid_flushed(struct pcid_table *t, u32 pcid, u64 tlb_gen);
/* Single pages were invalidated under the PCID, which makes it as new as `tlb_gen`; `user_too`: under pcid | PCID_USER as well. */
void pcid_invalidated(struct pcid_table *t, u32 pcid, u64 tlb_gen, bool user_too);
/* pcid | PCID_USER was loaded as pcid_user_stale() demanded. */
void pcid_user_loaded(struct pcid_table *t, u32 pcid);
bool pcid_user_stale(const struct pcid_table *t, u32 pcid);
