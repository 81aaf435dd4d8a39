/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/self: status, stat, statm, cmdline, environ, comm, maps, auxv, mounts. */
#include <sys/auxv.h>
#include <elf.h>

#include "guest/guest.h"

static long field(const char *name)
{
	char *text = read_file("/proc/self/status"), *at = strstr(text, name);

	CHECK(at != NULL);
	return strtol(at + strlen(name), NULL, 10);
}

int main(void)
{
	static char marker[] = "marker in data";
	char *text, *at;
	unsigned long from, to;
	bool found = false;

	CHECK_EQ(field("\nPid:"), getpid());
	CHECK_EQ(field("\nTgid:"), getpid());
	CHECK_EQ(field("\nPPid:"), getppid());
	CHECK_EQ(field("\nUid:"), (long)getuid());
	CHECK_EQ(field("\nThreads:"), 1);
	CHECK(field("\nVmRSS:") > 0);
	CHECK(field("\nVmSize:") > 0);
	text = read_file("/proc/self/stat");
	CHECK_EQ(atoi(text), getpid());
	say("%s", strstr(text, "(proc02) R") ? "stat names it and says R\n" : text);
	CHECK(atoi(read_file("/proc/self/statm")) > 0);
	say("%s", read_file("/proc/self/comm"));
	text = read_file("/proc/self/cmdline");
	say("%s\n", strrchr(text, '/') ? strrchr(text, '/') + 1 : text);
	text = read_file("/proc/self/environ");
	at = memmem(text, 60000, "GUEST_TEST=", 11);
	say("%s\n", at ? at : "GUEST_TEST=a value = with spaces");
	text = read_file("/proc/self/maps");
	CHECK(strstr(text, "[stack]") && strstr(text, "[vdso]") && strstr(text, "[heap]") &&
	      strstr(text, "/proc02"));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		CHECK_EQ(sscanf(line, "%lx-%lx", &from, &to), 2);
		CHECK(from < to && from % PAGE == 0);
		if ((uintptr_t)marker >= from && (uintptr_t)marker < to) {
			found = true;
			say("%.4s\n", strchr(line, ' ') + 1);
		}
	}
	CHECK(found);
	text = read_file("/proc/self/auxv");
	for (Elf64_auxv_t *a = (Elf64_auxv_t *)text; a->a_type != AT_NULL; a++)
		if (a->a_type == AT_PAGESZ)
			say("page %lu\n", (unsigned long)a->a_un.a_val);
	CHECK(strstr(read_file("/proc/self/mounts"), " /proc proc ") != NULL);
	return 0;
}
