/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/terminal.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

void terminal_init(struct terminal *t)
{
	t->fd = -1;
	for (int fd = 0; fd < 3 && t->fd < 0; fd++)
		if (tcgetattr(fd, &t->saved) == 0)
			t->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* the stream itself may be closed */
	t->sandbox = t->saved;
}

/* SIGTTOU blocked: a process in the background may set the mode too, instead of being stopped half way out. */
static void terminal_set(const struct terminal *t, const struct termios *mode)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	tcsetattr(t->fd, TCSANOW, mode);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void terminal_restore(struct terminal *t)
{
	if (t->fd < 0)
		return;
	tcgetattr(t->fd, &t->sandbox);
	terminal_set(t, &t->saved);
}

/* Continued in the background: the terminal is somebody else's now. */
static bool is_others(const struct terminal *t)
{
	pid_t foreground = tcgetpgrp(t->fd);

	return foreground > 0 && foreground != getpgrp();
}

void terminal_reapply(const struct terminal *t)
{
	if (t->fd >= 0 && !is_others(t))
		terminal_set(t, &t->sandbox);
}

void terminal_done(struct terminal *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}
