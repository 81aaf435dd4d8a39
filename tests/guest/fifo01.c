/* SPDX-License-Identifier: Apache-2.0 */
/* A FIFO: opening waits for the other side; data passes; ENXIO and O_NONBLOCK. */
#include "guest/guest.h"

static int writer(void *arg)
{
	int fd = OK(open("fifo", O_WRONLY));

	OK(write(fd, "through", 7));
	return 0;
}

int main(void)
{
	char text[16] = "";
	struct stat st;
	pid_t pid;
	int fd, fd2;

	scratch();
	OK(mkfifo("fifo", 0644));
	FAILS(mkfifo("fifo", 0644), EEXIST);
	OK(stat("fifo", &st));
	say("%o\n", st.st_mode);
	FAILS(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
	pid = spawn(writer, NULL);
	fd = OK(open("fifo", O_RDONLY));
	CHECK_EQ(read(fd, text, 16), 7);
	say("%s\n", text);
	wait_ok(pid);
	CHECK_EQ(read(fd, text, 16), 0);
	OK(close(fd));
	fd = OK(open("fifo", O_RDONLY | O_NONBLOCK));
	CHECK_EQ(read(fd, text, 16), 0); /* no writer */
	fd2 = OK(open("fifo", O_WRONLY | O_NONBLOCK));
	FAILS(read(fd, text, 16), EAGAIN);
	OK(write(fd2, "y", 1));
	CHECK_EQ(read(fd, text, 16), 1);
	return 0;
}
