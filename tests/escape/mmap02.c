/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps, unmaps, protects and moves memory at the kernel's addresses: the arena, the upper half, across the end, at page 0.
 * Stopped by: all ranges end below 0x7e0000000000.
 */
#include <sys/prctl.h>

#include "escape/escape.h"

static void try_address(const char *name, uintptr_t at)
{
	void *own = map_pages(1, PROT_READ | PROT_WRITE), *p = (void *)at;
	char what[96];

#define TRY(call, expression)                                    \
	do {                                                     \
		snprintf(what, sizeof(what), call " at %s", name); \
		REFUSED(what, expression);                       \
	} while (0)
	TRY("mmap", mmap(p, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	TRY("mmap without replacing", mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	TRY("mremap to", mremap(own, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p));
	TRY("mremap from", mremap(p, PAGE, PAGE, MREMAP_MAYMOVE));
	TRY("mprotect", mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	TRY("madvise", madvise(p, PAGE, MADV_DONTNEED));
	TRY("mincore", mincore(p, PAGE, own));
	TRY("msync", msync(p, PAGE, MS_SYNC));
	TRY("mlock", mlock(p, PAGE));
#undef TRY
	munmap(own, PAGE);
}

static void attempt(void)
{
	char *last = (char *)USER_END - PAGE;

	try_address("the arena", ARENA);
	try_address("the arena's middle", ARENA + (1ul << 38));
	try_address("slot 253", ARENA + (1ul << 39));
	try_address("the end of the lower half", 0x7ffffffff000);
	try_address("no canonical address", 0x800000000000);
	try_address("the upper half", 0xffff800000000000);
	try_address("the vsyscall page", 0xffffffffff600000);
	REFUSED("mmap across the end", mmap(last, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	REFUSED("munmap across the end", munmap(last, 2 * PAGE));
	REFUSED("munmap of the arena", munmap((void *)ARENA, 1ul << 39));
	REFUSED("mprotect across the end", mprotect(last, 2 * PAGE, PROT_NONE));
	REFUSED("PR_SET_MM", prctl(PR_SET_MM, PR_SET_MM_START_STACK, ARENA, 0, 0));
}
