/* SPDX-License-Identifier: Apache-2.0 */
/* RLIMIT_NOFILE and RLIMIT_FSIZE hold: EMFILE, SIGXFSZ, EFBIG; prlimit reads and writes. */
#include <sys/resource.h>

#include "guest/guest.h"

static int too_long(void *arg)
{
	int fd = OK(open("file", O_WRONLY | O_CREAT, 0644));
	const struct rlimit size = { 1000, 1000 };

	OK(setrlimit(RLIMIT_FSIZE, &size));
	signal(SIGXFSZ, arg ? SIG_IGN : SIG_DFL);
	OK(lseek(fd, 990, SEEK_SET));
	CHECK_EQ(write(fd, "01234567890123456789", 20), 10);
	FAILS(write(fd, "x", 1), EFBIG);
	FAILS(ftruncate(fd, 1001), EFBIG);
	return 7;
}

int main(void)
{
	struct rlimit l, old;
	int status, fd;

	scratch();
	OK(getrlimit(RLIMIT_NOFILE, &old));
	l = (struct rlimit){ 20, old.rlim_max };
	OK(prlimit(0, RLIMIT_NOFILE, &l, &l));
	CHECK_EQ(l.rlim_cur, old.rlim_cur);
	while ((fd = dup(1)) >= 0)
		CHECK(fd < 20);
	CHECK_EQ(errno, EMFILE);
	FAILS(open("file", O_RDONLY | O_CREAT, 0644), EMFILE);
	FAILS(fcntl(1, F_DUPFD, 20), EINVAL);
	FAILS(dup2(1, 20), EBADF);
	FAILS(pipe((int[2]){ 0, 0 }), EMFILE);
	close(19);
	FAILS(pipe((int[2]){ 0, 0 }), EMFILE);
	close(18);
	say("%d\n", WEXITSTATUS(wait_for(spawn(too_long, scratch_path))));
	status = wait_for(spawn(too_long, NULL));
	say("%d\n", WTERMSIG(status));
	l = (struct rlimit){ 30, 20 };
	FAILS(setrlimit(RLIMIT_NOFILE, &l), EINVAL);
	FAILS(getrlimit(99, &l), EINVAL);
	FAILS(prlimit(1 << 22, RLIMIT_NOFILE, NULL, &l), ESRCH);
	return 0;
}
