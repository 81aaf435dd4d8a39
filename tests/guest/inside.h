/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inside.h: for the programs that must never run outside the sandbox, because they change system files or use up
 * what there is. Each calls inside_only() first.
 */
#pragma once

#include <sys/utsname.h>

#include "guest/guest.h"

/*
 * Ends the process unless all signs of the sandbox are there: tests/guest/run-guest passes the variable only inside, the
 * host name and the small pid are Ringfence's.
 */
static inline void inside_only(void)
{
	struct utsname u;

	if (getenv("GUEST_INSIDE") && uname(&u) == 0 && strcmp(u.nodename, "ringfence") == 0 &&
	    getpid() < 10)
		return;
	say("not inside: this program runs only in the sandbox, with GUEST_INSIDE set\n");
	_exit(77);
}
