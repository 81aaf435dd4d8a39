/* SPDX-License-Identifier: Apache-2.0 */
/* Twenty megabytes written in odd pieces read back the same, also by mmap and after fork. */
#include "guest/guest.h"

#define TOTAL (20u << 20)

static unsigned char value_at(uint32_t i)
{
	i ^= i >> 11;
	return (unsigned char)(i * 2654435761u >> 24);
}

static int check_mapped(void *arg)
{
	int fd = OK(open("file", O_RDONLY));
	unsigned char *p = mmap(NULL, TOTAL, PROT_READ, MAP_SHARED, fd, 0);

	CHECK(p != MAP_FAILED);
	for (uint32_t i = 0; i < TOTAL; i += 61)
		CHECK_EQ(p[i], value_at(i));
	return 0;
}

int main(void)
{
	static unsigned char piece[123457];
	uint32_t at = 0;
	int fd;

	scratch();
	fd = OK(open("file", O_RDWR | O_CREAT, 0644));
	while (at < TOTAL) {
		uint32_t n = TOTAL - at < sizeof(piece) ? TOTAL - at : sizeof(piece);

		for (uint32_t i = 0; i < n; i++)
			piece[i] = value_at(at + i);
		CHECK_EQ(write(fd, piece, n), n);
		at += n;
	}
	OK(lseek(fd, 0, SEEK_SET));
	for (at = 0; at < TOTAL;) {
		ssize_t n = OK(read(fd, piece, 77777));

		CHECK(n > 0);
		for (ssize_t i = 0; i < n; i++)
			if (piece[i] != value_at(at + (uint32_t)i))
				FAIL("byte %u is wrong", at + (uint32_t)i);
		at += (uint32_t)n;
	}
	wait_ok(spawn(check_mapped, NULL));
	say("%ld\n", size_of_file("file"));
	return 0;
}
