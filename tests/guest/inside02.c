/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside only: a fork bomb ends in EAGAIN and can be cleaned up.
 *
 * Ringfence-Options: --pids 200
 */
#include "guest/inside.h"

int main(void)
{
	int count = 0;
	pid_t group = 0, pid;

	inside_only();
	while (count < 1000 && (pid = fork()) > 0) {
		if (!group)
			group = pid;
		OK(setpgid(pid, group));
		count++;
	}
	while (pid == 0)
		pause();
	CHECK_EQ(errno, EAGAIN);
	CHECK(count >= 20 && count <= 200);
	OK(kill(-group, SIGKILL));
	while (count--)
		OK(wait(NULL));
	pid = OK(fork()); /* there is room again */
	if (pid == 0)
		return 0;
	wait_ok(pid);
	return 0;
}
