/* SPDX-License-Identifier: Apache-2.0 */
/* clone: memory, files and directory shared as the flags say; the exit signal is the one asked for. */
#include "guest/guest.h"

static int value;
static int file;

static int child(void *arg)
{
	value = 2;
	close(file);
	if (chdir("/") < 0)
		return 1;
	return 0;
}

static void run(int flags)
{
	char *stack = map_pages(16, PROT_READ | PROT_WRITE);
	char cwd[256];
	pid_t pid;
	int status;

	OK(chdir("/proc"));
	value = 1;
	file = OK(dup(1));
	pid = OK(clone(child, stack + 16 * PAGE, flags, NULL));
	CHECK_EQ(waitpid(pid, &status, __WALL), pid);
	CHECK_EQ(status, 0);
	CHECK(getcwd(cwd, sizeof(cwd)) != NULL);
	say("value %d, file %s, directory %s\n", value,
	    fcntl(file, F_GETFD) < 0 ? "closed" : "open", cwd);
	close(file);
	OK(munmap(stack, 16 * PAGE));
}

int main(void)
{
	block(SIGUSR1);
	block(SIGCHLD);
	run(SIGCHLD);
	run(SIGCHLD | CLONE_VM);
	run(SIGCHLD | CLONE_FILES);
	run(SIGCHLD | CLONE_FS);
	run(SIGUSR1 | CLONE_VM | CLONE_FILES | CLONE_FS);
	sigset_t pending;
	OK(sigpending(&pending));
	say("SIGUSR1 %d SIGCHLD %d\n", sigismember(&pending, SIGUSR1),
	    sigismember(&pending, SIGCHLD));
	return 0;
}
