/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.h: the parts of syscall-fuzz. Everything a child does follows from its seed (as far as threads allow). */
#pragma once

#include <stdint.h>

/* One stream of choices a thread. */
struct choices {
	uint64_t state;
	int depth; /* of forks below the child */
};

static inline uint64_t choose(struct choices *c)
{
	uint64_t x = c->state += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* 0 .. n - 1 */
static inline uint64_t choose_below(struct choices *c, uint64_t n)
{
	return choose(c) % n;
}

#define CHOOSE_OF(c, table) ((table)[choose_below(c, sizeof(table) / sizeof((table)[0]))])

/* fuzz-args.c: maps the memory that arguments point to, makes the files, opens the descriptors. */
void arguments_prepare(struct choices *c);
uint64_t argument_choose(struct choices *c, char format, long nr);
uint64_t pointer_choose(struct choices *c);

/* fuzz-odd.c: things a program can do beside system calls. */
void odd_thing(struct choices *c);
void odd_signal_prepare(void);
