/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID of another process: there while it lives, Z until it is waited for, then gone. */
#include "guest/guest.h"

static int sleeper(void *arg)
{
	for (;;)
		pause();
	return 0;
}

int main(void)
{
	pid_t pid = spawn(sleeper, NULL);
	char path[64], target[64] = "";

	wait_until_state(pid, 'S');
	snprintf(path, sizeof(path), "/proc/%d/cwd", pid);
	OK(readlink(path, target, sizeof(target) - 1));
	say("%s\n", target);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, pid);
	OK(access(path, R_OK));
	snprintf(path, sizeof(path), "/proc/%d/fd/1", pid);
	OK(readlink(path, target, sizeof(target)));
	OK(kill(pid, SIGKILL));
	wait_until_state(pid, 'Z');
	snprintf(path, sizeof(path), "/proc/%d", pid);
	OK(access(path, F_OK));
	wait_for(pid);
	FAILS(access(path, F_OK), ENOENT);
	say("gone\n");
	return 0;
}
