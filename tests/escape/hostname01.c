/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets the host name and domain name.
 * Stopped by: they are our kernel's; the runner looks at the host's.
 * Escape-Expect: stopped: the sandbox's name is escaped
 * Escape-Expect: stopped: EINVAL from a name of 65 bytes
 * Escape-Expect: stopped: EFAULT from a name of the kernel's memory
 */
#include "escape/escape.h"

void attempt(void)
{
	struct utsname u;

	OK(sethostname("escaped", 7));
	OK(setdomainname("escaped", 7));
	OK(uname(&u));
	CHECK(strcmp(u.nodename, "escaped") == 0);
	stopped("the sandbox's name is escaped");
	REFUSED("a name of 65 bytes", sethostname((char[65]){ 'x' }, 65));
	REFUSED("a name of the kernel's memory", sethostname((char *)ARENA, 8));
}
