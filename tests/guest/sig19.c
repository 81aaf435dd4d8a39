/* SPDX-License-Identifier: Apache-2.0 */
/* SIGPIPE kills the writer of a pipe nobody reads; ignored, the write is EPIPE. */
#include "guest/guest.h"

static int write_on(void *arg)
{
	int ends[2];

	OK(pipe(ends));
	close(ends[0]);
	if (arg)
		signal(SIGPIPE, SIG_IGN);
	return write(ends[1], "x", 1) < 0 && errno == EPIPE ? 5 : 1;
}

int main(void)
{
	say("%d\n", WTERMSIG(wait_for(spawn(write_on, NULL))));
	say("%d\n", WEXITSTATUS(wait_for(spawn(write_on, scratch_path))));
	return 0;
}
