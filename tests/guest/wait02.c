/* SPDX-License-Identifier: Apache-2.0 */
/* waitid: what siginfo says, WNOWAIT leaves the child, P_PGID, errors. */
#include "guest/guest.h"

static int end_5(void *arg)
{
	return 5;
}

static int be_killed(void *arg)
{
	raise(SIGKILL);
	return 0;
}

int main(void)
{
	siginfo_t info;
	pid_t pid = spawn(end_5, NULL);

	for (int i = 0; i < 2; i++) {
		memset(&info, 0, sizeof(info));
		OK(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
		CHECK_EQ(info.si_pid, pid);
		CHECK_EQ(info.si_uid, getuid());
		say("signo %d code %d status %d errno %d\n", info.si_signo, info.si_code,
		    info.si_status, info.si_errno);
	}
	OK(waitid(P_ALL, 0, &info, WEXITED));
	FAILS(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
	pid = spawn(be_killed, NULL);
	OK(waitid(P_PGID, 0, &info, WEXITED));
	CHECK_EQ(info.si_pid, pid);
	say("code %d status %d\n", info.si_code, info.si_status);
	FAILS(waitid(P_ALL, 0, &info, 0), EINVAL);
	FAILS(waitid(99, 0, &info, WEXITED), EINVAL);
	pid = spawn(end_5, NULL);
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0)
		sched_yield();
	CHECK_EQ(info.si_status, 5);
	return 0;
}
