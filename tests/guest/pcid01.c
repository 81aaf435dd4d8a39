/* SPDX-License-Identifier: Apache-2.0 */
/*
 * More processes than PCID slots take turns on one CPU: each sees its own page at the common address, and not what another process
 * took away while it was not running.
 * Ringfence-Options: --cpus 1
 */
#include <setjmp.h>

#include "guest/guest.h"

#define PROCESSES 10
#define ROUNDS    60

static int ring[PROCESSES][2];
static sigjmp_buf back;

static void on_bus(int sig)
{
	siglongjmp(back, 1);
}

/* Whether the page is there, by touching it. */
static bool is_there(volatile unsigned long *p)
{
	if (sigsetjmp(back, 1))
		return false;
	(void)*p;
	return true;
}

static void pass(int to)
{
	OK(write(ring[to][1], "x", 1));
}

static void wait_turn(int me)
{
	char byte;

	CHECK_EQ(OK(read(ring[me][0], &byte, 1)), 1);
}

/* One process: its page, its file, and the file of the next one, which it cuts and grows in turns. */
static void member(int me, volatile unsigned long *own, volatile unsigned long *const *shared,
		   const int *files)
{
	int victim = (me + 1) % PROCESSES;

	*own = (unsigned long)me;
	for (int i = 0; i < ROUNDS; i++) {
		/* The predecessor has cut our file in odd rounds and not in even ones; the first round differs. */
		bool cut;

		wait_turn(me);
		CHECK_EQ(*own % 100, me);
		cut = i > 0 && (me == 0 ? (i - 1) % 2 : i % 2);
		if (i > 0)
			CHECK_EQ(is_there(shared[me]), !cut);
		OK(ftruncate(files[victim], i % 2 ? 0 : (off_t)PAGE));
		*own += 100;
		pass(victim);
	}
}

int main(void)
{
	volatile unsigned long *own =
		OK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	volatile unsigned long *shared[PROCESSES];
	int files[PROCESSES], status;

	handle(SIGBUS, on_bus, 0);
	for (int i = 0; i < PROCESSES; i++) {
		files[i] = OK(memfd_create("page", 0));
		OK(ftruncate(files[i], (off_t)PAGE));
		shared[i] = OK(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, files[i], 0));
		OK(pipe(ring[i]));
	}
	for (int i = 0; i < PROCESSES; i++) {
		if (OK(fork()) == 0) {
			member(i, own, shared, files);
			_exit(0);
		}
	}
	pass(0);
	for (int i = 0; i < PROCESSES; i++) {
		OK(wait(&status));
		CHECK_EQ(status, 0);
	}
	say("ok\n");
	return 0;
}
