/* SPDX-License-Identifier: Apache-2.0 */
/* close and close_range: numbers are free again, the second close is EBADF. */
#include <linux/close_range.h>

#include "guest/guest.h"

int main(void)
{
	for (int fd = 10; fd < 20; fd++)
		OK(dup2(1, fd));
	OK(close(10));
	FAILS(close(10), EBADF);
	OK(syscall(SYS_close_range, 12, 14, 0));
	OK(syscall(SYS_close_range, 16, 17, CLOSE_RANGE_CLOEXEC));
	for (int fd = 10; fd < 20; fd++)
		say("%d:%d ", fd, fcntl(fd, F_GETFD));
	say("\n");
	FAILS(syscall(SYS_close_range, 5, 4, 0), EINVAL);
	FAILS(syscall(SYS_close_range, 5, 6, 0x100), EINVAL);
	OK(syscall(SYS_close_range, 3, ~0u, 0));
	say("%d\n", OK(dup(1)));
	FAILS(close(-1), EBADF);
	return 0;
}
