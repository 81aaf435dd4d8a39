/* SPDX-License-Identifier: Apache-2.0 */
/* Inside only: this is the first process of a small world: pid 1 or its child, own hostname, no host processes. */
#include <dirent.h>

#include "guest/inside.h"

int main(void)
{
	struct utsname u;
	struct dirent *e;
	int count = 0;
	DIR *d = opendir("/proc");

	inside_only();
	CHECK(getpid() < 10);
	OK(uname(&u));
	CHECK(strcmp(u.nodename, "ringfence") == 0);
	CHECK(d != NULL);
	while ((e = readdir(d)))
		count += e->d_name[0] >= '1' && e->d_name[0] <= '9';
	CHECK(count >= 1 && count < 10);
	return 0;
}
