/* SPDX-License-Identifier: Apache-2.0 */
/* munmap, MADV_DONTNEED, MAP_FIXED and mremap against spinning readers: they see the mapping's data or a fault, never another's. */
#include "guest/race.h"

#define READERS 2
#define PAGES   3
#define ROUNDS  6
#define OURS    0x0123456789abcdeful

static struct racer readers[READERS];
static uint8_t *volatile place, *volatile place2;
static volatile unsigned long gone; /* odd: what was in place, but for its first page, is no more */

/* Values that may be seen now: data, zero, a fault. */
static void look(struct racer *r, const uint8_t *at)
{
	for (int i = 0; i < PAGES; i++) {
		uint64_t v = race_load(at + (unsigned)i * PAGE + 8 * r->id);

		if (v != OURS && v != 0 && v != FAULTED)
			FAIL("reader %u saw %#lx", r->id, (unsigned long)v);
	}
}

/* Once the call has returned that took it away, the old data is not seen any more, whoever has the frame. */
static void look_gone(struct racer *r)
{
	unsigned long before = gone;
	uint64_t v = race_load(place + PAGE + 8 * r->id);

	if ((before & 1) && gone == before && v == OURS)
		FAIL("reader %u saw what is gone", r->id);
}

static void read_all(struct racer *r)
{
	for (int i = 0; i < 20; i++)
		look_gone(r);
	look(r, place);
	look(r, place2);
}

static void reuse(void)
{
	gone |= 1;
	pool_check(readers, READERS);
}

static void map_ours(void)
{
	uint8_t *p;

	gone += gone & 1;
	p = mmap(place, PAGES * PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	CHECK(p == place);
	fill((uint64_t *)p, PAGES, OURS);
	race_any_stepped(readers, READERS);
}

static void unmapping(void)
{
	OK(munmap(place, PAGES * PAGE));
	reuse();
}

static void dontneed(void)
{
	OK(madvise(place, PAGES * PAGE, MADV_DONTNEED));
	reuse();
	CHECK_EQ(race_load(place), 0);
}

static void replaced(void)
{
	CHECK(mmap(place, PAGES * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == place);
	reuse();
}

static void no_access(void)
{
	OK(mprotect(place, PAGES * PAGE, PROT_NONE));
	gone |= 1;
	CHECK(race_load(place) == FAULTED);
	race_any_stepped(readers, READERS);
	gone++;
	OK(mprotect(place, PAGES * PAGE, PROT_READ));
	CHECK(race_load(place) == OURS);
}

static void moved(void)
{
	CHECK(mremap(place, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place2) ==
	      place2);
	CHECK(race_load(place) == FAULTED);
	CHECK(race_load(place2) == OURS);
	reuse();
	gone++;
	CHECK(mremap(place2, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place) ==
	      place);
	CHECK(race_load(place2) == FAULTED);
	OK(munmap(place, PAGES * PAGE));
	reuse();
}

static void shrunk(void)
{
	CHECK(mremap(place, PAGES * PAGE, PAGE, 0) == place);
	reuse();
	CHECK(race_load(place) == OURS && race_load(place + PAGE) == FAULTED);
}

int main(void)
{
	static void (*const changes[])(void) = { unmapping, dontneed, replaced,
						 no_access, moved,    shrunk };

	race_init();
	place = map_pages(PAGES, PROT_READ | PROT_WRITE);
	place2 = map_pages(PAGES, PROT_READ | PROT_WRITE);
	pool_init();
	race_start(readers, READERS, read_all);
	race_all_stepped(readers,
			 READERS); /* all stacks are there: from now on nothing else is mapped */
	OK(munmap(place2, PAGES * PAGE));
	for (int i = 0; i < ROUNDS; i++) {
		map_ours();
		changes[(unsigned)i % (sizeof(changes) / sizeof(changes[0]))]();
	}
	race_end(readers, READERS);
	say("ok\n");
	return 0;
}
