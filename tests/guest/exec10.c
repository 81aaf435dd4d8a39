/* SPDX-License-Identifier: Apache-2.0 */
/* Names and the program text are those of the new program after exec; a running program can be unlinked. */
#include <sys/prctl.h>
#include <limits.h>

#include "guest/guest.h"

int main(int argc, char **argv)
{
	char name[17] = "", self[PATH_MAX] = "", target[PATH_MAX] = "";
	char block[65536];
	ssize_t n;
	int from, to;

	if (argc > 1) {
		OK(unlink(argv[1]));
		OK(prctl(PR_GET_NAME, name));
		OK(readlink("/proc/self/exe", target, sizeof(target) - 1));
		say("%s %s %s\n", name, argv[0], strstr(target, "(deleted)") ? "deleted" : "there");
		return 0;
	}
	OK(readlink("/proc/self/exe", self, sizeof(self) - 1));
	scratch();
	from = OK(open(self, O_RDONLY));
	to = OK(open("a-name-longer-than-fifteen", O_WRONLY | O_CREAT, 0755));
	while ((n = OK(read(from, block, sizeof(block)))) > 0)
		CHECK_EQ(write(to, block, (size_t)n), n);
	OK(close(to));
	pid_t pid = OK(fork());
	if (pid == 0)
		exit(execl("./a-name-longer-than-fifteen", "argv0", "./a-name-longer-than-fifteen",
			   NULL));
	wait_ok(pid);
	return 0;
}
