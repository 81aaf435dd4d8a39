/* SPDX-License-Identifier: Apache-2.0 */
/* Spinning writers against mprotect, munmap, MADV_DONTNEED and fork: no write after the call, none into reused frames, none lost. */
#include "guest/race.h"

#define WRITERS 2
#define PAGES   4
#define ROUNDS  6

static struct racer writers[WRITERS];
static uint8_t *volatile place;
static volatile unsigned long closed; /* odd: a store to place must fault */

static void write_closed(struct racer *r)
{
	unsigned long before = closed;
	uint64_t v = race_store(place + PAGE + 8 * r->id, 1);

	if ((before & 1) && closed == before && v != FAULTED)
		FAIL("writer %u wrote to what is closed", r->id);
}

static void write_all(struct racer *r)
{
	for (int i = 0; i < 20; i++)
		write_closed(r);
	for (unsigned i = 0; i < PAGES; i++)
		race_store(place + i * PAGE + 8 * r->id, r->steps + 1);
}

/* A copy of what is in the pages once no more writes may come. */
static void no_writes_after_mprotect(void)
{
	static uint64_t copy[PAGES][WRITERS];

	OK(mprotect(place, PAGES * PAGE, PROT_READ));
	closed++;
	for (unsigned i = 0; i < PAGES; i++)
		memcpy(copy[i], place + i * PAGE, sizeof(copy[i]));
	race_any_stepped(writers, WRITERS);
	for (unsigned i = 0; i < PAGES; i++)
		CHECK(memcmp(copy[i], place + i * PAGE, sizeof(copy[i])) == 0);
	closed++;
	OK(mprotect(place, PAGES * PAGE, PROT_READ | PROT_WRITE));
}

static void poison_stays(void)
{
	pool_check(writers, WRITERS);
}

static void unmapped(void)
{
	OK(munmap(place, PAGES * PAGE));
	closed++;
	poison_stays();
	closed++;
	CHECK(mmap(place, PAGES * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == place);
}

static void dontneed(void)
{
	OK(madvise(place, PAGES * PAGE, MADV_DONTNEED));
	poison_stays();
}

/* In the child nothing changes any more, though the parent's threads go on writing. */
static int child(void *arg)
{
	static uint64_t copy[PAGES][WRITERS];

	for (unsigned i = 0; i < PAGES; i++)
		memcpy(copy[i], place + i * PAGE, sizeof(copy[i]));
	for (int k = 0; k < 3; k++)
		sched_yield();
	for (unsigned i = 0; i < PAGES; i++)
		if (memcmp(copy[i], place + i * PAGE, sizeof(copy[i])))
			return 1;
	return 0;
}

/* Each writer's own word counts with its own counter: a write into the old frame after the copy would be lost. */
static void count_up(struct racer *r)
{
	volatile uint64_t *word =
		(volatile uint64_t *)(place + (r->id % PAGES) * PAGE + 64 + 8 * r->id);

	for (int i = 0; i < 100; i++) {
		if (*word != r->own[0])
			FAIL("writer %u: %#lx in memory, wrote %#lx", r->id, (unsigned long)*word,
			     r->own[0]);
		*word = ++r->own[0];
	}
}

static void forks(void)
{
	pid_t pid[2];

	for (int i = 0; i < 2; i++) {
		pid[0] = spawn(child, NULL);
		pid[1] = spawn(child, NULL);
		race_any_stepped(writers, WRITERS);
		wait_ok(pid[0]);
		wait_ok(pid[1]);
	}
}

int main(void)
{
	static void (*const changes[])(void) = { no_writes_after_mprotect, unmapped, dontneed };

	race_init();
	place = map_pages(PAGES, PROT_READ | PROT_WRITE);
	pool_init();
	race_start(writers, WRITERS, write_all);
	race_all_stepped(writers, WRITERS);
	for (unsigned i = 0; i < ROUNDS; i++)
		changes[i % (sizeof(changes) / sizeof(changes[0]))]();
	race_end(writers, WRITERS);
	memset(place, 0, PAGES * PAGE);
	race_start(writers, WRITERS, count_up);
	forks();
	race_end(writers, WRITERS);
	say("ok\n");
	return 0;
}
