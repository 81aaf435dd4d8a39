/* SPDX-License-Identifier: Apache-2.0 */
/* siginfo says who sent what: kill, tgkill, sigqueue. */
#include "guest/guest.h"

static siginfo_t seen;

static void handler(int sig, siginfo_t *info, void *context)
{
	seen = *info;
}

static void show(const char *what)
{
	CHECK_EQ(seen.si_pid, getpid());
	CHECK_EQ(seen.si_uid, getuid());
	say("%s: signo %d code %d value %d\n", what, seen.si_signo, seen.si_code,
	    what[0] == 's' ? seen.si_value.sival_int : 0);
}

int main(void)
{
	const union sigval value = { .sival_int = 1234 };

	handle_info(SIGUSR1, handler, 0);
	handle_info(SIGRTMIN + 3, handler, 0);
	OK(kill(getpid(), SIGUSR1));
	show("kill");
	raise(SIGUSR1);
	show("tgkill");
	OK(sigqueue(getpid(), SIGUSR1, value));
	show("sigqueue");
	OK(sigqueue(getpid(), SIGRTMIN + 3, value));
	show("sigqueue");
	return 0;
}
