/* SPDX-License-Identifier: Apache-2.0 */
/* Writes of up to PIPE_BUF bytes by many processes are never mixed. */
#include "guest/guest.h"

#define RECORD 512

static int writer(void *arg)
{
	char record[RECORD];
	int fd = ((int *)arg)[1];

	memset(record, 'a' + getpid() % 26, RECORD);
	for (int i = 0; i < 200; i++)
		CHECK_EQ(write(fd, record, RECORD), RECORD);
	return 0;
}

int main(void)
{
	char record[RECORD];
	int ends[2], count = 0;
	pid_t pid[4];

	OK(pipe(ends));
	for (int i = 0; i < 4; i++)
		pid[i] = spawn(writer, ends);
	close(ends[1]);
	for (;;) {
		ssize_t got = 0, n = 1;

		while (got < RECORD &&
		       (n = OK(read(ends[0], record + got, (size_t)(RECORD - got)))) > 0)
			got += n;
		if (n == 0)
			break;
		for (int i = 1; i < RECORD; i++)
			CHECK_EQ(record[i], record[0]);
		count++;
	}
	for (int i = 0; i < 4; i++)
		wait_ok(pid[i]);
	say("%d\n", count);
	return 0;
}
