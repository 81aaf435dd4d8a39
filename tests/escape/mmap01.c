/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps terabytes, more than there are addresses, and everything at once; counts what it gets by mmap, mremap, brk and mlock.
 * Stopped by: address space ends at 0x7e0000000000, untouched memory costs nothing, and the limit on memory holds for what is touched.
 * Escape-Options: --memory 64M
 * Escape-Expect: stopped: ENOMEM from 256 TiB
 * Escape-Expect: stopped: ENOMEM from 2^63 bytes
 * Escape-Expect: stopped: ENOMEM from all but a page
 * Escape-Expect: stopped: ENOMEM from 1 TiB filled in
 * Escape-Expect: stopped: EINVAL from mremap to 2^63
 * Escape-Expect: stopped: EFAULT from mremap from 2^63
 * Escape-Expect: stopped: EINVAL from mlock of everything
 * Escape-Expect: stopped: ENOMEM from brk far up
 * Escape-Expect: stopped: ENOMEM from brk far down
 * Escape-Expect: stopped: touching 1 TiB ended with SIGKILL
 */
#include "escape/escape.h"

static void touch(void)
{
	char *p = mmap(NULL, 1ul << 40, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		judge_call("touching 1 TiB", -1);
		_exit(0);
	}
	for (size_t at = 0; at < 1ul << 40; at += PAGE)
		p[at] = 1;
}

static void try_map(const char *what, size_t length, int flags)
{
	void *p = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags,
		       -1, 0);

	if (p == MAP_FAILED)
		judge_call(what, -1);
	else if ((uintptr_t)p + length > USER_END)
		escaped("%s above the program's addresses", what);
	else
		munmap(p, length);
}

void attempt(void)
{
	void *p = map_pages(1, PROT_READ | PROT_WRITE);

	try_map("256 TiB", 1ul << 48, MAP_NORESERVE);
	try_map("2^63 bytes", 1ul << 63, MAP_NORESERVE);
	try_map("all but a page", -PAGE, MAP_NORESERVE);
	try_map("1 TiB filled in", 1ul << 40, MAP_POPULATE);
	REFUSED("mremap to 2^63",
		mremap(p, PAGE, 1ul << 63, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0);
	REFUSED("mremap from 2^63",
		mremap(p, 1ul << 63, PAGE, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0);
	REFUSED("mlock of everything", mlock(p, -PAGE));
	REFUSED("brk far up", sbrk(1l << 46) == (void *)-1 ? -1 : 0);
	REFUSED("brk far down", sbrk(-(1l << 46)) == (void *)-1 ? -1 : 0);
	stopped("touching 1 TiB ended with %s", ending_of(in_child(touch)));
}
