/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the host are seen: /etc/passwd, /usr; kinds and readability. */
#include <dirent.h>

#include "guest/guest.h"

int main(void)
{
	struct stat st;
	int count = 0;
	DIR *d;

	OK(stat("/etc/passwd", &st));
	say("%o %d\n", st.st_mode, st.st_size > 0);
	CHECK(strstr(read_file("/etc/passwd"), "root:") != NULL);
	OK(stat("/usr/bin/env", &st));
	say("%o %ld\n", st.st_mode, (long)st.st_size);
	d = opendir("/usr/include");
	CHECK(d != NULL);
	while (readdir(d))
		count++;
	say("%d\n", count);
	OK(lstat("/bin", &st));
	say("%d\n", S_ISLNK(st.st_mode));
	FAILS(open("/usr/nothing/here", O_RDONLY), ENOENT);
	return 0;
}
