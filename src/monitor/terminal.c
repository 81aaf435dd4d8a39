/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/terminal.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static int terminal_fd = -1;
static bool terminal_dirty;
static struct termios terminal_saved, terminal_sandbox;

void terminal_save(void)
{
	static bool once;

	if (once)
		return;
	once = true;
	for (int fd = 0; fd < 3 && terminal_fd < 0; fd++)
		if (tcgetattr(fd, &terminal_saved) == 0)
			terminal_fd =
				fcntl(fd, F_DUPFD_CLOEXEC, 3); /* the stream itself may be closed */
	if (terminal_fd >= 0)
		atexit(terminal_restore);
}

/* SIGTTOU blocked: a process in the background may set the mode too, instead of being stopped half way out. */
static void terminal_set(const struct termios *mode)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	tcsetattr(terminal_fd, TCSANOW, mode);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void terminal_touched(void)
{
	terminal_dirty = true;
}

void terminal_restore(void)
{
	if (terminal_fd < 0 || !terminal_dirty)
		return;
	tcgetattr(terminal_fd, &terminal_sandbox);
	terminal_set(&terminal_saved);
}

void terminal_reapply(void)
{
	if (terminal_fd < 0 || !terminal_dirty)
		return;
	terminal_set(&terminal_sandbox);
}
