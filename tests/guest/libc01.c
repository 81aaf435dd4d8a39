/* SPDX-License-Identifier: Apache-2.0 */
/* The C library at work: popen, system, posix_spawn, tmpfile, qsort, time zones. */
#include <spawn.h>

#include "guest/guest.h"

extern char **environ;

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

int main(void)
{
	char line[64] = "";
	int numbers[1000], status;
	uint32_t state = 7;
	struct tm tm;
	time_t when = 1000000000;
	pid_t pid;
	FILE *f = popen("echo from popen; exit 3", "r");

	CHECK(f != NULL && fgets(line, sizeof(line), f));
	say("%s%d\n", line, WEXITSTATUS(pclose(f)));
	say("%d\n", WEXITSTATUS(system("exit 9")));
	CHECK_EQ(posix_spawn(&pid, "/bin/sh", NULL, NULL, ARGS("sh", "-c", "exit 4"), environ), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	say("%d\n", WEXITSTATUS(status));
	f = tmpfile();
	CHECK(f != NULL);
	fprintf(f, "%d %s", 42, "text");
	rewind(f);
	CHECK(fgets(line, sizeof(line), f));
	say("%s\n", line);
	for (int i = 0; i < 1000; i++)
		numbers[i] = (int)((state = state * 1103515245 + 12345) >> 8);
	qsort(numbers, 1000, sizeof(int), compare);
	for (int i = 1; i < 1000; i++)
		CHECK(numbers[i - 1] <= numbers[i]);
	CHECK(gmtime_r(&when, &tm));
	say("%d-%02d-%02d %02d:%02d\n", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min);
	return 0;
}
