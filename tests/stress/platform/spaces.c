/* SPDX-License-Identifier: Apache-2.0 */
#include "stress/platform/spaces.h"

#include <stdio.h>
#include <stdlib.h>

#define POISON UINT64_C(0xdeaddeaddeaddead)
#define PAGE   0x1000u

static uint64_t frame_offset(int frame)
{
	return SPACE_FRAMES_AT + (uint64_t)frame * PAGE;
}

static volatile uint64_t *frame_words(const struct spaces *s, int frame)
{
	return (uint64_t *)((uint8_t *)rf_machine_memory(s->m)->base + frame_offset(frame));
}

static void frame_fill(const struct spaces *s, int frame, uint64_t value)
{
	volatile uint64_t *word = frame_words(s, frame);

	for (unsigned i = 0; i < PAGE / 8; i++)
		word[i] = value;
}

/* The caller has flushed. */
static void frame_free(struct spaces *s, int frame)
{
	frame_fill(s, frame, POISON);
	s->free_frames[s->free_count++] = frame;
}

static int frame_alloc(struct spaces *s)
{
	unsigned i = (unsigned)stress_below(&s->rng, s->free_count);
	int frame = s->free_frames[i];
	volatile uint64_t *word = frame_words(s, frame);

	s->free_frames[i] = s->free_frames[--s->free_count];
	for (i = 0; i < PAGE / 8; i++)
		if (word[i] != POISON)
			stress_fail("frame %d was written after its unmap: word %u is 0x%lx", frame,
				    i, word[i]);
	frame_fill(s, frame, SPACE_GOOD);
	return frame;
}

/* ---- a space ---- */

static struct space *space_new(struct spaces *s)
{
	struct space *sp = calloc(1, sizeof(*sp));

	if (!sp || rf_address_space_new(s->m, &sp->as) ||
	    rf_address_space_map_file(sp->as, SPACE_CODE, SPACE_CODE_OFFSET, PAGE,
				      RF_READ | RF_EXEC, false))
		stress_fail("no new address space");
	for (unsigned i = 0; i < SPACE_PAGES; i++)
		sp->frames[i] = -1;
	atomic_fetch_add(&stress_totals.spaces, 1);
	return sp;
}

static void space_free(struct spaces *s, struct space *sp)
{
	rf_address_space_free(sp->as);
	for (unsigned i = 0; i < SPACE_PAGES; i++)
		if (sp->frames[i] >= 0)
			frame_free(s, sp->frames[i]);
	free(sp);
}

uint64_t space_random_page(const struct space *s, struct stress_rng *rng)
{
	return SPACE_WINDOW + stress_below(rng, SPACE_PAGES) * PAGE + stress_below(rng, 512) * 8;
}

struct space *spaces_get(struct spaces *s, struct stress_rng *rng)
{
	struct space *sp;

	pthread_mutex_lock(&s->lock);
	sp = s->slots[stress_below(rng, SPACE_SLOTS)];
	atomic_fetch_add(&sp->users, 1);
	pthread_mutex_unlock(&s->lock);
	return sp;
}

void space_put(struct space *s)
{
	atomic_fetch_sub(&s->users, 1);
}

/* ---- changes ---- */

static void check(int r, const char *what)
{
	if (r)
		stress_fail("%s: %d", what, r);
}

static void change_page(struct spaces *s, struct space *sp, unsigned i)
{
	uint64_t va = SPACE_WINDOW + i * PAGE;
	int old = sp->frames[i];

	switch (stress_below(&s->rng, 4)) {
	case 0:
		check(rf_address_space_unmap(sp->as, va, PAGE), "unmap");
		sp->frames[i] = -1;
		break;
	case 1:
		check(rf_address_space_protect(sp->as, va, PAGE, RF_READ), "protect");
		break;
	default:
		sp->frames[i] = frame_alloc(s);
		check(rf_address_space_map_file(
			      sp->as, va, frame_offset(sp->frames[i]), PAGE,
			      stress_below(&s->rng, 2) ? RF_READ : RF_READ | RF_WRITE, false),
		      "map");
	}
	if (old < 0 || old == sp->frames[i])
		return;
	check(rf_address_space_flush(sp->as), "flush");
	frame_free(s, old);
}

/* All of the window at once, and tables that come and go. */
static void change_all(struct spaces *s, struct space *sp)
{
	uint64_t far = 0x4000000000 + stress_below(&s->rng, 64) * 0x40000000;

	check(rf_address_space_map_file(sp->as, far, 0x200000, 0x200000, RF_READ, false),
	      "map far");
	check(rf_address_space_unmap(sp->as, SPACE_WINDOW, SPACE_PAGES * PAGE), "unmap all");
	check(rf_address_space_unmap(sp->as, far, 0x200000), "unmap far");
	check(rf_address_space_flush(sp->as), "flush");
	for (unsigned i = 0; i < SPACE_PAGES; i++) {
		if (sp->frames[i] >= 0)
			frame_free(s, sp->frames[i]);
		sp->frames[i] = -1;
	}
}

static void reap(struct spaces *s)
{
	for (unsigned i = 0; i < SPACE_RETIRED; i++) {
		struct space *sp = s->retired[i];

		if (sp && !atomic_load(&sp->users)) {
			space_free(s, sp);
			s->retired[i] = NULL;
		}
	}
}

/* Another space in the slot; the old one lives until nobody runs in it. */
static void replace(struct spaces *s, unsigned slot)
{
	struct space *old, *fresh;

	for (unsigned i = 0; i < SPACE_RETIRED; i++) {
		if (s->retired[i])
			continue;
		fresh = space_new(s);
		pthread_mutex_lock(&s->lock);
		old = s->slots[slot];
		s->slots[slot] = fresh;
		pthread_mutex_unlock(&s->lock);
		s->retired[i] = old;
		return;
	}
}

static void *changer_main(void *arg)
{
	struct spaces *s = arg;

	atomic_store(&s->progress.phase, "changing");
	while (!atomic_load(&s->stop)) {
		unsigned slot = (unsigned)stress_below(&s->rng, SPACE_SLOTS);
		struct space *sp = s->slots[slot]; /* changed by this thread only */

		/* Few frames left: those of retired spaces will come back. */
		if (s->free_count > SPACE_PAGES)
			change_page(s, sp, (unsigned)stress_below(&s->rng, SPACE_PAGES));
		if (stress_below(&s->rng, 32) == 0)
			change_all(s, sp);
		if (stress_below(&s->rng, 64) == 0)
			replace(s, slot);
		reap(s);
		stress_pause(&s->rng);
		atomic_fetch_add(&stress_totals.changes, 1);
		atomic_fetch_add(&s->progress.steps, 1);
	}
	return NULL;
}

static void describe(void *owner)
{
	const struct spaces *s = owner;

	printf("changer, %u free frames", s->free_count);
}

void spaces_init(struct spaces *s, struct rf_machine *m, uint64_t seed)
{
	*s = (struct spaces){ .m = m, .rng.state = seed * 983 };
	pthread_mutex_init(&s->lock, NULL);
	s->progress.phase = "starting";
	s->progress.describe = describe;
	s->progress.owner = s;
	for (int i = 0; i < (int)SPACE_FRAMES; i++)
		frame_free(s, i);
	for (unsigned i = 0; i < SPACE_SLOTS; i++)
		s->slots[i] = space_new(s);
}

void spaces_start(struct spaces *s)
{
	stress_watch(&s->progress);
	if (pthread_create(&s->changer, NULL, changer_main, s))
		stress_fail("no thread");
}

/* Nobody runs any more. */
void spaces_done(struct spaces *s)
{
	atomic_store(&s->stop, true);
	pthread_join(s->changer, NULL);
	for (unsigned i = 0; i < SPACE_SLOTS; i++)
		space_free(s, s->slots[i]);
	for (unsigned i = 0; i < SPACE_RETIRED; i++)
		if (s->retired[i])
			space_free(s, s->retired[i]);
	if (s->free_count != SPACE_FRAMES)
		stress_fail("%u frames of %u came back", s->free_count, SPACE_FRAMES);
	pthread_mutex_destroy(&s->lock);
}
