/* SPDX-License-Identifier: Apache-2.0 */
/* readv, writev, preadv, pwritev: order, partial, empty pieces, limits. */
#include <sys/uio.h>
#include <limits.h>

#include "guest/guest.h"

int main(void)
{
	char a[4] = "", b[8] = "", c[4] = "";
	struct iovec in[3] = { { a, 3 }, { b, 0 }, { b, 7 } };
	struct iovec out[3] = { { (void *)(uintptr_t) "one", 3 },
				{ NULL, 0 },
				{ (void *)(uintptr_t) "twothree", 8 } };
	struct iovec *many;
	int fd;

	scratch();
	fd = OK(open("file", O_RDWR | O_CREAT, 0644));
	CHECK_EQ(writev(fd, out, 3), 11);
	OK(lseek(fd, 0, SEEK_SET));
	CHECK_EQ(readv(fd, in, 3), 10);
	say("%s %s\n", a, b);
	in[2].iov_base = c;
	in[2].iov_len = 3;
	CHECK_EQ(preadv(fd, in, 3, 8), 3);
	CHECK_EQ(pwritev(fd, out, 1, 20), 3);
	say("%ld %ld\n", size_of_file("file"), (long)lseek(fd, 0, SEEK_CUR));
	CHECK_EQ(readv(fd, in, 0), 0);
	many = map_pages(8, PROT_READ | PROT_WRITE);
	for (int i = 0; i < IOV_MAX; i++)
		many[i] = (struct iovec){ (void *)(uintptr_t) "x", 1 };
	CHECK_EQ(pwritev(fd, many, IOV_MAX, 0), IOV_MAX);
	FAILS(writev(fd, many, IOV_MAX + 1), EINVAL);
	in[0].iov_len = (size_t)-1;
	FAILS(readv(fd, in, 1), EINVAL);
	FAILS(readv(fd, bad_address(), 1), EFAULT);
	in[0] = (struct iovec){ bad_address(), 5 };
	FAILS(preadv(fd, in, 1, 0), EFAULT);
	FAILS(preadv(fd, in, 1, -1), EINVAL);
	return 0;
}
