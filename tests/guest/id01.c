/* SPDX-License-Identifier: Apache-2.0 */
/* User and group ids: the calls agree; setting them to themselves works. */
#include "guest/guest.h"

int main(void)
{
	uid_t r, e, s;
	gid_t rg, eg, sg, groups[64];

	OK(getresuid(&r, &e, &s));
	OK(getresgid(&rg, &eg, &sg));
	CHECK(r == getuid() && e == geteuid() && rg == getgid() && eg == getegid());
	say("%d %d %d %d\n", (int)r, (int)e, (int)rg, (int)eg);
	OK(setuid(r));
	OK(setgid(rg));
	OK(setresuid((uid_t)-1, e, (uid_t)-1));
	OK(setreuid(r, e));
	OK(setregid(rg, eg));
	CHECK(getgroups(0, NULL) >= 0);
	CHECK(getgroups(64, groups) == getgroups(0, NULL));
	FAILS(syscall(SYS_getgroups, -1, groups), EINVAL);
	FAILS(syscall(SYS_getresuid, bad_address(), &e, &s), EFAULT);
	CHECK(getppid() > 0 || getpid() == 1);
	CHECK_EQ(syscall(SYS_gettid), getpid());
	return 0;
}
