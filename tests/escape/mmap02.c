/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps, unmaps, protects and moves memory at the kernel's addresses: the arena, the upper half, across the end, at page 0.
 * Stopped by: all ranges end below 0x7e0000000000.
 * Escape-Expect: stopped: ENOMEM from mmap at the arena
 * Escape-Expect: stopped: ENOMEM from mmap without replacing at the arena
 * Escape-Expect: stopped: EINVAL from mremap to at the arena
 * Escape-Expect: stopped: EFAULT from mremap from at the arena
 * Escape-Expect: stopped: ENOMEM from mprotect at the arena
 * Escape-Expect: stopped: ENOMEM from madvise at the arena
 * Escape-Expect: stopped: ENOMEM from mincore at the arena
 * Escape-Expect: stopped: ENOMEM from msync at the arena
 * Escape-Expect: stopped: ENOMEM from mlock at the arena
 * Escape-Expect: stopped: ENOMEM from mmap at the arena's middle
 * Escape-Expect: stopped: ENOMEM from mmap without replacing at the arena's middle
 * Escape-Expect: stopped: EINVAL from mremap to at the arena's middle
 * Escape-Expect: stopped: EFAULT from mremap from at the arena's middle
 * Escape-Expect: stopped: ENOMEM from mprotect at the arena's middle
 * Escape-Expect: stopped: ENOMEM from madvise at the arena's middle
 * Escape-Expect: stopped: ENOMEM from mincore at the arena's middle
 * Escape-Expect: stopped: ENOMEM from msync at the arena's middle
 * Escape-Expect: stopped: ENOMEM from mlock at the arena's middle
 * Escape-Expect: stopped: ENOMEM from mmap at slot 253
 * Escape-Expect: stopped: ENOMEM from mmap without replacing at slot 253
 * Escape-Expect: stopped: EINVAL from mremap to at slot 253
 * Escape-Expect: stopped: EFAULT from mremap from at slot 253
 * Escape-Expect: stopped: ENOMEM from mprotect at slot 253
 * Escape-Expect: stopped: ENOMEM from madvise at slot 253
 * Escape-Expect: stopped: ENOMEM from mincore at slot 253
 * Escape-Expect: stopped: ENOMEM from msync at slot 253
 * Escape-Expect: stopped: ENOMEM from mlock at slot 253
 * Escape-Expect: stopped: ENOMEM from mmap at the end of the lower half
 * Escape-Expect: stopped: ENOMEM from mmap without replacing at the end of the lower half
 * Escape-Expect: stopped: EINVAL from mremap to at the end of the lower half
 * Escape-Expect: stopped: EFAULT from mremap from at the end of the lower half
 * Escape-Expect: stopped: ENOMEM from mprotect at the end of the lower half
 * Escape-Expect: stopped: ENOMEM from madvise at the end of the lower half
 * Escape-Expect: stopped: ENOMEM from mincore at the end of the lower half
 * Escape-Expect: stopped: ENOMEM from msync at the end of the lower half
 * Escape-Expect: stopped: ENOMEM from mlock at the end of the lower half
 * Escape-Expect: stopped: ENOMEM from mmap at no canonical address
 * Escape-Expect: stopped: ENOMEM from mmap without replacing at no canonical address
 * Escape-Expect: stopped: EINVAL from mremap to at no canonical address
 * Escape-Expect: stopped: EFAULT from mremap from at no canonical address
 * Escape-Expect: stopped: ENOMEM from mprotect at no canonical address
 * Escape-Expect: stopped: ENOMEM from madvise at no canonical address
 * Escape-Expect: stopped: ENOMEM from mincore at no canonical address
 * Escape-Expect: stopped: ENOMEM from msync at no canonical address
 * Escape-Expect: stopped: ENOMEM from mlock at no canonical address
 * Escape-Expect: stopped: ENOMEM from mmap at the upper half
 * Escape-Expect: stopped: ENOMEM from mmap without replacing at the upper half
 * Escape-Expect: stopped: EINVAL from mremap to at the upper half
 * Escape-Expect: stopped: EFAULT from mremap from at the upper half
 * Escape-Expect: stopped: ENOMEM from mprotect at the upper half
 * Escape-Expect: stopped: ENOMEM from madvise at the upper half
 * Escape-Expect: stopped: ENOMEM from mincore at the upper half
 * Escape-Expect: stopped: ENOMEM from msync at the upper half
 * Escape-Expect: stopped: ENOMEM from mlock at the upper half
 * Escape-Expect: stopped: ENOMEM from mmap at the vsyscall page
 * Escape-Expect: stopped: ENOMEM from mmap without replacing at the vsyscall page
 * Escape-Expect: stopped: EINVAL from mremap to at the vsyscall page
 * Escape-Expect: stopped: EFAULT from mremap from at the vsyscall page
 * Escape-Expect: stopped: ENOMEM from mprotect at the vsyscall page
 * Escape-Expect: stopped: ENOMEM from madvise at the vsyscall page
 * Escape-Expect: stopped: ENOMEM from mincore at the vsyscall page
 * Escape-Expect: stopped: ENOMEM from msync at the vsyscall page
 * Escape-Expect: stopped: ENOMEM from mlock at the vsyscall page
 * Escape-Expect: stopped: ENOMEM from mmap across the end
 * Escape-Expect: stopped: EINVAL from munmap across the end
 * Escape-Expect: stopped: EINVAL from munmap of the arena
 * Escape-Expect: stopped: ENOMEM from mprotect across the end
 * Escape-Expect: stopped: EINVAL from PR_SET_MM
 */
#include <sys/prctl.h>

#include "escape/escape.h"

static void try_address(const char *name, uintptr_t at)
{
	void *own = map_pages(1, PROT_READ | PROT_WRITE), *p = (void *)at;
	char what[96];

#define TRY(call, expression)                                      \
	do {                                                       \
		snprintf(what, sizeof(what), call " at %s", name); \
		REFUSED(what, expression);                         \
	} while (0)
	TRY("mmap",
	    mmap(p, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	TRY("mmap without replacing",
	    mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
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

void attempt(void)
{
	char *last = (char *)USER_END - PAGE;

	try_address("the arena", ARENA);
	try_address("the arena's middle", ARENA + (1ul << 38));
	try_address("slot 253", ARENA + (1ul << 39));
	try_address("the end of the lower half", 0x7ffffffff000);
	try_address("no canonical address", 0x800000000000);
	try_address("the upper half", 0xffff800000000000);
	try_address("the vsyscall page", 0xffffffffff600000);
	REFUSED("mmap across the end",
		mmap(last, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	REFUSED("munmap across the end", munmap(last, 2 * PAGE));
	REFUSED("munmap of the arena", munmap((void *)ARENA, 1ul << 39));
	REFUSED("mprotect across the end", mprotect(last, 2 * PAGE, PROT_NONE));
	REFUSED("PR_SET_MM", prctl(PR_SET_MM, PR_SET_MM_START_STACK, ARENA, 0, 0));
}
