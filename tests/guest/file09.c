/* SPDX-License-Identifier: Apache-2.0 */
/* Reading directories: all entries once, telldir and seekdir, rewind, types, changes meanwhile. */
#include <dirent.h>

#include "guest/guest.h"

#define COUNT 700

static int count_entries(DIR *d)
{
	int count = 0;

	while (readdir(d))
		count++;
	return count;
}

int main(void)
{
	static char seen[COUNT];
	char name[32];
	struct dirent *e;
	long position;
	DIR *d;

	scratch();
	OK(mkdir("many", 0755));
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "many/entry-%d", i);
		write_file(name, "");
	}
	d = opendir("many");
	CHECK(d != NULL);
	for (int i = 0; i < 100; i++)
		CHECK(readdir(d) != NULL);
	position = telldir(d);
	e = readdir(d);
	CHECK(e != NULL);
	strcpy(name, e->d_name);
	count_entries(d);
	seekdir(d, position);
	e = readdir(d);
	CHECK(e != NULL && strcmp(name, e->d_name) == 0);
	rewinddir(d);
	while ((e = readdir(d))) {
		int i;

		if (sscanf(e->d_name, "entry-%d", &i) != 1)
			continue;
		CHECK_EQ(seen[i], 0);
		seen[i] = 1;
		CHECK(e->d_type == DT_REG || e->d_type == DT_UNKNOWN);
		unlinkat(dirfd(d), e->d_name, 0); /* must not disturb the rest */
	}
	for (int i = 0; i < COUNT; i++)
		CHECK_EQ(seen[i], 1);
	rewinddir(d);
	say("%d\n", count_entries(d));
	closedir(d);
	OK(mkdir("types", 0755));
	OK(chdir("types"));
	OK(mkdir("d", 0755));
	OK(symlink("x", "l"));
	OK(mkfifo("p", 0600));
	d = opendir(".");
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			say("%s", e->d_type == DT_UNKNOWN ? "?" : "+");
	say("\n");
	rewinddir(d);
	FAILS(syscall(SYS_getdents64, dirfd(d), name, 8), EINVAL);
	FAILS(syscall(SYS_getdents64, 1, name, 8), ENOTDIR);
	return 0;
}
