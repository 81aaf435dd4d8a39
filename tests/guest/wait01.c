/* SPDX-License-Identifier: Apache-2.0 */
/* waitpid: WNOHANG, ECHILD, EINVAL, and which child. */
#include "guest/guest.h"

static int until_eof(void *arg)
{
	int *ends = arg;
	char c;

	close(ends[1]);
	return (int)read(ends[0], &c, 1);
}

int main(void)
{
	int ends[2], status = 77;
	pid_t first, second;

	FAILS(waitpid(-1, &status, 0), ECHILD);
	OK(pipe(ends));
	first = spawn(until_eof, ends);
	CHECK_EQ(waitpid(first, &status, WNOHANG), 0);
	CHECK_EQ(status, 77);
	FAILS(waitpid(first, &status, 0x40), EINVAL);
	FAILS(waitpid(getpid(), &status, 0), ECHILD);
	FAILS(waitpid(1 << 22, &status, 0), ECHILD);
	FAILS(waitpid(-getpid() - 1000, &status, 0), ECHILD);
	close(ends[0]);
	close(ends[1]);
	CHECK_EQ(status, 77);
	wait_ok(first);
	OK(pipe(ends));
	first = spawn(until_eof, ends);
	second = spawn(until_eof, ends);
	close(ends[1]);
	CHECK_EQ(waitpid(second, &status, 0), second);
	CHECK_EQ(waitpid(-1, &status, 0), first);
	say("ok\n");
	return 0;
}
