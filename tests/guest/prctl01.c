/* SPDX-License-Identifier: Apache-2.0 */
/* prctl: name, dumpable, keepcaps, no_new_privs, death signal read back; unknown is EINVAL. */
#include <sys/prctl.h>

#include "guest/guest.h"

static int inherits(void *arg)
{
	char name[17] = "";
	int sig = 77;

	OK(prctl(PR_GET_NAME, name));
	OK(prctl(PR_GET_PDEATHSIG, &sig));
	say("child: %s %d\n", name, sig);
	return 0;
}

int main(void)
{
	char name[17] = "";
	int sig = 0;

	OK(prctl(PR_SET_NAME, "a name that is too long"));
	OK(prctl(PR_GET_NAME, name));
	say("%s\n", name);
	say("%s", read_file("/proc/self/comm"));
	say("%d\n", prctl(PR_GET_DUMPABLE));
	OK(prctl(PR_SET_DUMPABLE, 0));
	say("%d\n", prctl(PR_GET_DUMPABLE));
	OK(prctl(PR_SET_DUMPABLE, 1));
	OK(prctl(PR_SET_PDEATHSIG, SIGTERM));
	OK(prctl(PR_GET_PDEATHSIG, &sig));
	say("%d\n", sig);
	wait_ok(spawn(inherits, NULL));
	say("%d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	say("%d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	FAILS(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	FAILS(prctl(PR_SET_PDEATHSIG, 99), EINVAL);
	FAILS(prctl(99999), EINVAL);
	FAILS(prctl(PR_SET_NAME, bad_address()), EFAULT);
	return 0;
}
