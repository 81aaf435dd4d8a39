/* SPDX-License-Identifier: Apache-2.0 */
/* RLIMIT_AS and RLIMIT_DATA stop mmap and brk with ENOMEM; limits are inherited. */
#include <sys/resource.h>

#include "guest/guest.h"

static int inherits(void *arg)
{
	struct rlimit l;

	OK(getrlimit(RLIMIT_AS, &l));
	return l.rlim_cur == 64ul << 20 ? 0 : 1;
}

int main(void)
{
	const struct rlimit as = { 64ul << 20, RLIM_INFINITY };
	void *p;

	OK(setrlimit(RLIMIT_AS, &as));
	FAILS(mmap(NULL, 100ul << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
	p = mmap(NULL, 16ul << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	FAILS(mremap(p, 16ul << 20, 100ul << 20, MREMAP_MAYMOVE), ENOMEM);
	FAILS(sbrk(100 << 20), ENOMEM);
	wait_ok(spawn(inherits, NULL));
	say("ok\n");
	return 0;
}
