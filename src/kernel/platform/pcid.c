/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/platform/pcid.h"

static struct pcid_slot *slot_of(struct pcid_table *t, u32 pcid)
{
	return &t->slot[pcid - 1];
}

static struct pcid_slot *slot_find(struct pcid_table *t, u64 as_id)
{
	for (u32 i = 0; i < PCID_SLOTS; i++)
		if (t->slot[i].as_id == as_id)
			return &t->slot[i];
	return NULL;
}

struct pcid_load pcid_choose(struct pcid_table *t, u64 as_id, u64 tlb_gen)
{
	struct pcid_slot *s = slot_find(t, as_id);
	struct pcid_load load = { 0 };

	if (!s) {
		s = &t->slot[t->next];
		t->next = (t->next + 1) % PCID_SLOTS;
		load.flush = true;
	}
	load.pcid = (u32)(s - t->slot) + 1;
	if (load.flush || s->tlb_gen != tlb_gen) {
		*s = (struct pcid_slot){ .as_id = as_id, .tlb_gen = tlb_gen, .user_stale = true };
		load.flush = true;
	}
	load.flush_user = s->user_stale;
	return load;
}

void pcid_flushed(struct pcid_table *t, u32 pcid, u64 tlb_gen)
{
	struct pcid_slot *s = slot_of(t, pcid);

	s->tlb_gen = tlb_gen;
	s->user_stale = true;
}

void pcid_invalidated(struct pcid_table *t, u32 pcid, u64 tlb_gen, bool user_too)
{
	struct pcid_slot *s = slot_of(t, pcid);

	s->tlb_gen = tlb_gen;
	if (!user_too)
		s->user_stale = true;
}

void pcid_user_loaded(struct pcid_table *t, u32 pcid)
{
	slot_of(t, pcid)->user_stale = false;
}

bool pcid_user_stale(const struct pcid_table *t, u32 pcid)
{
	return t->slot[pcid - 1].user_stale;
}
