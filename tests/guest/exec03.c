/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors with FD_CLOEXEC are closed by exec, the others stay, and so do offsets. */
#include "guest/guest.h"

int main(int argc, char **argv)
{
	char name[2][16];
	int keep, gone;

	if (argc > 1) {
		char c = 0;

		say("%d %d\n", fcntl(atoi(argv[1]), F_GETFD), fcntl(atoi(argv[2]), F_GETFD));
		OK(read(atoi(argv[1]), &c, 1));
		say("%c\n", c);
		return 0;
	}
	scratch();
	write_file("file", "abc");
	keep = OK(open("file", O_RDONLY));
	gone = OK(open("file", O_RDONLY | O_CLOEXEC));
	OK(lseek(keep, 1, SEEK_SET));
	OK(unlink("file"));
	snprintf(name[0], 16, "%d", keep);
	snprintf(name[1], 16, "%d", gone);
	pid_t pid = OK(fork());
	if (pid == 0)
		exit(execl("/proc/self/exe", "x", name[0], name[1], NULL));
	wait_ok(pid);
	return 0;
}
