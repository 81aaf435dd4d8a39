/* SPDX-License-Identifier: Apache-2.0 */
/* A program's own read-only file pages: the executable maps and reads the same. */
#include "guest/guest.h"

int main(void)
{
	int fd = OK(open("/proc/self/exe", O_RDONLY));
	struct stat st;
	unsigned char *p;
	unsigned long sum = 0, again = 0;

	OK(fstat(fd, &st));
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK(memcmp(p, "\177ELF", 4) == 0);
	for (off_t i = 0; i < st.st_size; i++)
		sum = sum * 31 + p[i];
	for (off_t at = 0; at < st.st_size;) {
		unsigned char text[5000];
		ssize_t n = OK(read(fd, text, sizeof(text)));

		for (ssize_t i = 0; i < n; i++)
			again = again * 31 + text[i];
		at += n;
	}
	CHECK_EQ(sum, again);
	say("ok\n");
	return 0;
}
