/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is unlinked while open lives on until closed. */
#include "guest/guest.h"

int main(void)
{
	char text[16] = "";
	struct stat st;
	int fd;

	scratch();
	fd = OK(open("file", O_RDWR | O_CREAT, 0644));
	OK(write(fd, "before", 6));
	OK(unlink("file"));
	FAILS(stat("file", &st), ENOENT);
	OK(write(fd, " after", 6));
	OK(fstat(fd, &st));
	say("%d %ld\n", (int)st.st_nlink, (long)st.st_size);
	OK(pread(fd, text, 16, 0));
	say("%s\n", text);
	write_file("file", "another");
	OK(pread(fd, text, 16, 0));
	say("%s\n", text);
	OK(close(fd));
	say("%s\n", read_file("file"));
	return 0;
}
