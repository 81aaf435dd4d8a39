/* SPDX-License-Identifier: Apache-2.0 */
/* Processes append to one file at once: no record is lost or torn. */
#include "guest/guest.h"

static int writer(void *arg)
{
	int fd = OK(open("log", O_WRONLY | O_APPEND));
	char line[40];

	for (int i = 0; i < 100; i++) {
		int n = snprintf(line, sizeof(line), "%d:%d.\n", (int)(intptr_t)arg, i);

		CHECK_EQ(write(fd, line, (size_t)n), n);
	}
	return 0;
}

int main(void)
{
	pid_t pid[4];
	int lines = 0, next[4] = { 0 };
	char *text;

	scratch();
	write_file("log", "");
	for (intptr_t i = 0; i < 4; i++)
		pid[i] = spawn(writer, (void *)i);
	for (int i = 0; i < 4; i++)
		wait_ok(pid[i]);
	text = read_file("log");
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++) {
		int who, number;
		char dot;

		CHECK_EQ(sscanf(line, "%d:%d%c", &who, &number, &dot), 3);
		CHECK(who >= 0 && who < 4 && dot == '.');
		CHECK_EQ(number, next[who]++);
	}
	say("%d\n", lines);
	return 0;
}
