/* SPDX-License-Identifier: Apache-2.0 */
/* vfork: the child runs first, in the parent's memory, until it execs or exits. */
#include "guest/guest.h"

int main(int argc, char **argv)
{
	volatile int value = 1;
	pid_t pid;

	if (argc > 1)
		return 7;
	pid = vfork();
	if (pid == 0) {
		value = 2;
		_exit(3);
	}
	CHECK_EQ(WEXITSTATUS(wait_for(pid)), 3);
	say("%d\n", value);
	pid = vfork();
	if (pid == 0) {
		execl("/proc/self/exe", "again", "x", NULL);
		_exit(1);
	}
	CHECK_EQ(WEXITSTATUS(wait_for(pid)), 7);
	pid = vfork();
	if (pid == 0) {
		execl("/nonexistent", "x", NULL);
		_exit(errno == ENOENT ? 5 : 1);
	}
	say("%d\n", WEXITSTATUS(wait_for(pid)));
	return 0;
}
