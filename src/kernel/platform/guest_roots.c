/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roots of address spaces and the translations CPUs hold of them, residency guest.
 *
 * Translations. An address space has a generation, as->tlb_gen; a CPU remembers which one its TLB is at least as new as,
 * cpu->loaded_tlb_gen. as_flush() raises the generation and catches up itself. Another CPU that has the tables loaded catches up
 *	- on its way to user mode: it sets in_user, then compares (both seq_cst), and only then goes;
 *	- before it touches user memory in kernel code, under the kernel lock;
 *	- if it is in user mode already, by a kick, which as_flush() waits for: leaving user mode needs no kernel lock.
 * So frames and tables may be reused when as_flush() returns.
 *
 * Roots. A CPU keeps the last task's root loaded while it runs others without an address space. A root that goes while another CPU has it
 * loaded waits on `zombies` until no CPU has.
 *
 * PCIDs (pcid.h), where the CPU has them. cpu->loaded_tlb_gen is then also what the slot of the loaded address space says. A CPU that has
 * an address space in a slot but not loaded gets no shootdown: the slot's generation makes its next load flush. The order is that of
 * the first paragraph: guest_as_load() announces (loaded_mm), then reads the generation and chooses; as_flush() raises the
 * generation, then looks at loaded_mm. If the load comes too early to see the new generation, as_flush() sees the CPU as one that has
 * the tables loaded, and that CPU compares again before it uses them.
 *
 * Global pages. Only the kernel's slot has any; their entries never change after boot, so nothing here ever needs to drop them.
 */
#include "base/bug.h"
#include "kernel/arch/arch.h"
#include "kernel/arch/entry_data.h"
#include "kernel/core/host.h"
#include "kernel/core/panic.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/platform/guest.h"
#include "kernel/platform/kpti.h"
#include "kernel/platform/pcid.h"
#include "pagetable/pte_x86_64.h"

/* Up to here single pages are invalidated, beyond the whole TLB. */
#define INVLPG_MAX 32u

/* In CR3: keep what is cached under the PCID. */
#define CR3_NOFLUSH (1ull << 63)

static u64 arena_entry;      /* PML4 entry of the kernel's slot, shared by all roots */
static u64 user_arena_entry; /* the same of user roots */
static bool use_pcid, use_invpcid;
bool guest_user_pcid;
static u64 last_id; /* of address spaces; kernel lock */
static struct pcid_state {
	struct pcid_table table;
	u32 pcid; /* what CR3 holds */
} pcid_states[RF_MAX_CPUS];

static void kpti_init(void)
{
	static struct pagetable pt; /* never freed: its tables are part of every user root */
	struct entry_range ranges[ENTRY_RANGES_MAX];
	unsigned count = entry_ranges(ranges);

	if (kpti_build(&pt, &guest_table_ops, NULL, ranges, count) < 0)
		panic("no memory for the tables of user roots");
	BUG_ON(!kpti_verify(&pt, ranges, count));
	user_arena_entry = pt_slot_entry(&pt, ARENA_SLOT);
}

void guest_roots_init(void)
{
	const u64 *root = guest_table_ops.gpa_to_virt(NULL, boot_info()->kernel_root);

	use_pcid = boot_info()->boot_features & RF_BOOT_F_PCID;
	use_invpcid = use_pcid && boot_info()->boot_features & RF_BOOT_F_INVPCID;
	guest_kpti = boot_info()->kpti;
	guest_user_pcid = guest_kpti && use_pcid;
	if (guest_kpti)
		kpti_init();
	arena_entry = root[ARENA_SLOT];
}

struct zombie_root {
	struct list node;
	struct pagetable pt;
};
static LIST_HEAD(zombies);

static bool root_loaded(u64 root)
{
	for (unsigned i = 0; i < nr_cpus; i++)
		if (READ_ONCE(cpus[i].loaded_root) == root)
			return true;
	return false;
}

static void zombies_reap(void)
{
	struct zombie_root *z, *tmp;

	list_for_each_entry_safe(z, tmp, &zombies, node) {
		if (root_loaded(pt_root_gpa(&z->pt)))
			continue;
		list_del(&z->node);
		pt_done(&z->pt);
		kfree(z);
	}
}

/* What the entry code loads from now on. */
static void entry_roots_set(const struct cpu *c, const struct pcid_state *s)
{
	struct cpu_entry *e = &cpu_entries[c->id];
	u64 user = c->loaded_root | KPTI_ROOT_BIT;

	if (!s->pcid) {
		e->kernel_cr3 = c->loaded_root;
		e->user_cr3 = user;
		return;
	}
	e->kernel_cr3 = c->loaded_root | s->pcid | CR3_NOFLUSH;
	e->user_cr3 = user | s->pcid | PCID_USER |
		      (pcid_user_stale(&s->table, s->pcid) ? 0 : CR3_NOFLUSH);
}

/* What was owed to the user's PCID has been done on the way out. */
void guest_user_returned(struct cpu *c)
{
	struct pcid_state *s = &pcid_states[c->id];

	if (likely(!pcid_user_stale(&s->table, s->pcid)))
		return;
	pcid_user_loaded(&s->table, s->pcid);
	entry_roots_set(c, s);
}

void guest_tlb_catch_up(struct cpu *c, struct kas *as)
{
	u64 gen = __atomic_load_n(&as->tlb_gen, __ATOMIC_SEQ_CST);
	struct pcid_state *s = &pcid_states[c->id];

	write_cr3(c->loaded_root | s->pcid);
	if (s->pcid)
		pcid_flushed(&s->table, s->pcid, gen);
	if (guest_kpti)
		entry_roots_set(c, s);
	__atomic_store_n(&c->loaded_tlb_gen, gen, __ATOMIC_SEQ_CST);
}

__hot void guest_as_load(struct cpu *c, struct kas *as)
{
	struct pcid_state *s = &pcid_states[c->id];
	u64 gen, keep = 0, root = pt_root_gpa(&as->pt);

	/* First say so, then read the generation: as_flush() does it the other way round. */
	__atomic_store_n(&c->loaded_mm, (struct mm *)as, __ATOMIC_SEQ_CST);
	gen = __atomic_load_n(&as->tlb_gen, __ATOMIC_SEQ_CST);
	if (use_pcid) {
		struct pcid_load load = pcid_choose(&s->table, as->id, gen);

		s->pcid = load.pcid;
		keep = load.flush ? 0 : CR3_NOFLUSH;
	}
	write_cr3(root | s->pcid | keep);
	/* Not before: as_free() on another CPU frees the old root when nobody says he has it, and we hold no lock. */
	__atomic_store_n(&c->loaded_root, root, __ATOMIC_RELEASE);
	if (guest_kpti)
		entry_roots_set(c, s);
	__atomic_store_n(&c->loaded_tlb_gen, gen, __ATOMIC_SEQ_CST);
}

/* Away from a root that is about to go. What is cached under PCID 0 is of the kernel's root alone, which never changes. */
static void kernel_root_load(struct cpu *c)
{
	c->loaded_root = boot_info()->kernel_root;
	pcid_states[c->id].pcid = 0;
	write_cr3(c->loaded_root | (use_pcid ? CR3_NOFLUSH : 0));
}

int guest_as_new(struct kas *as)
{
	int r;

	if (!list_empty(&zombies))
		zombies_reap();
	*as = (struct kas){ .id = ++last_id, .tlb_gen = 1, .stale_lo = ~0ull };
	r = pt_init(&as->pt, &guest_table_ops, &as->pt);
	if (r < 0)
		return r;
	if (guest_kpti) {
		BUG_ON(pt_root_gpa(&as->pt) & KPTI_ROOT_BIT);
		as->pt.root[PTE_ENTRIES + ARENA_SLOT] = user_arena_entry;
	}
	r = pt_install_shared(&as->pt, ARENA_SLOT, arena_entry);
	if (r < 0)
		pt_done(&as->pt);
	return r;
}

void guest_as_free(struct kas *as)
{
	struct cpu *me = this_cpu();
	u64 root = pt_root_gpa(&as->pt);
	struct zombie_root *z;

	if (me->loaded_root == root)
		kernel_root_load(me);
	for (unsigned i = 0; i < nr_cpus; i++) {
		struct mm *gone = (struct mm *)as;

		/* In one step: the other CPU may be loading another address space, without the lock. */
		__atomic_compare_exchange_n(&cpus[i].loaded_mm, &gone, NULL, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	}
	pt_freelist_release(&as->deferred, &guest_table_ops, NULL);
	kplat_large_pages -= as->spare.count;
	pt_freelist_release(&as->spare, &guest_table_ops, NULL);
	if (!root_loaded(root)) {
		pt_done(&as->pt);
		return;
	}
	z = kmalloc(sizeof(*z));
	if (!z) {
		/* Better a few frames lost than a CPU without tables. */
		klog(1, "no memory to retire a page-table root");
		return;
	}
	z->pt = as->pt;
	list_add(&z->node, &zombies);
}

static void flush_local(struct cpu *c, struct kas *as, u64 gen)
{
	struct pcid_state *s = &pcid_states[c->id];

	if (c->loaded_tlb_gen != gen - 1 || as->stale_hi - as->stale_lo > INVLPG_MAX * PAGE_SIZE) {
		guest_tlb_catch_up(c, as);
		return;
	}
	for (uptr_t va = as->stale_lo; va < as->stale_hi; va += PAGE_SIZE) {
		invlpg(va);
		if (guest_kpti && use_invpcid)
			invpcid_address(s->pcid | PCID_USER, va);
	}
	if (s->pcid)
		pcid_invalidated(&s->table, s->pcid, gen, !guest_kpti || use_invpcid);
	if (guest_user_pcid)
		entry_roots_set(c, s);
	__atomic_store_n(&c->loaded_tlb_gen, gen, __ATOMIC_SEQ_CST);
}

static void flush_remote(struct cpu *c, u64 gen)
{
	unsigned spins = 0;

	if (!__atomic_load_n(&c->shared->in_user, __ATOMIC_SEQ_CST))
		return;
	hc(HC_KICK, c->id);
	while (__atomic_load_n(&c->shared->in_user, __ATOMIC_SEQ_CST) &&
	       __atomic_load_n(&c->loaded_tlb_gen, __ATOMIC_SEQ_CST) < gen) {
		cpu_relax();
		if (++spins % 4096 == 0)
			hc(HC_YIELD);
	}
}

__hot void guest_as_flush(struct kas *as)
{
	struct cpu *me = this_cpu();
	u64 gen;

	if (as->stale) {
		gen = __atomic_add_fetch(&as->tlb_gen, 1, __ATOMIC_SEQ_CST);
		for (unsigned i = 0; i < nr_cpus; i++)
			if (i != me->id && (struct kas *)__atomic_load_n(&cpus[i].loaded_mm,
									 __ATOMIC_SEQ_CST) == as)
				flush_remote(&cpus[i], gen);
		if ((struct kas *)me->loaded_mm == as)
			flush_local(me, as, gen);
		as->stale = false;
		as->stale_lo = ~0ull;
		as->stale_hi = 0;
	}
	if (as->deferred.count)
		pt_freelist_release(&as->deferred, &guest_table_ops, NULL);
}
