/* SPDX-License-Identifier: Apache-2.0 */
/* umask applies to files, directories and FIFOs, and is inherited. */
#include "guest/guest.h"

static void show(const char *path)
{
	struct stat st;

	OK(stat(path, &st));
	say("%s %o\n", path, st.st_mode);
}

static int child(void *arg)
{
	return (int)umask(0);
}

int main(void)
{
	scratch();
	CHECK_EQ(umask(077), 022);
	OK(open("a", O_CREAT | O_RDWR, 0666));
	OK(mkdir("b", 0777));
	OK(mkfifo("c", 0666));
	umask(0);
	OK(open("d", O_CREAT | O_RDWR, 0666));
	show("a");
	show("b");
	show("c");
	show("d");
	umask(0123);
	say("%o\n", WEXITSTATUS(wait_for(spawn(child, NULL))));
	say("%o\n", umask(07777));
	say("%o\n", umask(0));
	return 0;
}
