/* SPDX-License-Identifier: Apache-2.0 */
/* uname, sysinfo, gethostname: filled in and consistent. */
#include <sys/utsname.h>
#include <sys/sysinfo.h>

#include "guest/guest.h"

int main(void)
{
	struct utsname u;
	struct sysinfo info;
	char name[65];

	OK(uname(&u));
	say("%s %s\n", u.sysname, u.machine);
	CHECK(strtol(u.release, NULL, 10) >= 5);
	OK(gethostname(name, sizeof(name)));
	CHECK(strcmp(name, u.nodename) == 0);
	FAILS(uname(bad_address()), EFAULT);
	OK(sysinfo(&info));
	CHECK(info.totalram * info.mem_unit >= 16ul << 20);
	CHECK(info.freeram <= info.totalram);
	CHECK(info.procs >= 1);
	CHECK(info.uptime >= 0);
	FAILS(sysinfo(bad_address()), EFAULT);
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
	return 0;
}
