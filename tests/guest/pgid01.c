/* SPDX-License-Identifier: Apache-2.0 */
/* Process groups and sessions: setpgid, setsid, getsid and their errors. */
#include "guest/guest.h"

static int child(void *arg)
{
	CHECK(getpgrp() != getpid());
	OK(setpgid(0, 0));
	CHECK_EQ(getpgrp(), getpid());
	FAILS(setsid(), EPERM);
	return 0;
}

static int leader(void *arg)
{
	CHECK_EQ(OK(setsid()), getpid());
	CHECK_EQ(getsid(0), getpid());
	CHECK_EQ(getpgid(0), getpid());
	FAILS(setpgid(0, 0), EPERM);
	FAILS(setsid(), EPERM);
	return 0;
}

int main(void)
{
	wait_ok(spawn(child, NULL));
	wait_ok(spawn(leader, NULL));
	FAILS(setpgid(0, -1), EINVAL);
	FAILS(setpgid(1 << 22, 0), ESRCH);
	FAILS(getpgid(1 << 22), ESRCH);
	FAILS(getsid(1 << 22), ESRCH);
	CHECK_EQ(getpgid(0), getpgrp());
	say("ok\n");
	return 0;
}
