/* SPDX-License-Identifier: Apache-2.0 */
/* Stop and continue are reported with WUNTRACED and WCONTINUED, once each. */
#include "guest/guest.h"

static int sleep_on(void *arg)
{
	for (;;)
		pause();
	return 0;
}

int main(void)
{
	pid_t pid = spawn(sleep_on, NULL);
	siginfo_t info;
	int status;

	OK(setpgid(pid, pid)); /* in an orphaned group SIGTSTP would not stop it */
	OK(kill(pid, SIGSTOP));
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	say("stopped %d by %d\n", WIFSTOPPED(status), WSTOPSIG(status));
	CHECK_EQ(waitpid(pid, &status, WUNTRACED | WNOHANG), 0);
	CHECK_EQ(process_state(pid), 'T');
	OK(kill(pid, SIGCONT));
	CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	say("continued %d\n", WIFCONTINUED(status));
	OK(kill(pid, SIGTSTP));
	OK(waitid(P_PID, (id_t)pid, &info, WSTOPPED));
	say("code %d status %d\n", info.si_code, info.si_status);
	OK(kill(pid, SIGCONT));
	OK(waitid(P_PID, (id_t)pid, &info, WCONTINUED));
	say("code %d status %d\n", info.si_code, info.si_status);
	OK(kill(pid, SIGSTOP));
	OK(kill(pid, SIGKILL)); /* kills a stopped process */
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	say("killed by %d\n", WTERMSIG(status));
	return 0;
}
