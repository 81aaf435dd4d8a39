/* SPDX-License-Identifier: Apache-2.0 */
/* System files of /proc: cpuinfo, meminfo, stat, uptime, version, loadavg, sys/kernel. */
#include "guest/guest.h"

static void has(const char *path, const char *text)
{
	if (!strstr(read_file(path), text))
		FAIL("no %s in %s", text, path);
}

int main(void)
{
	double up, idle;
	struct stat st;

	has("/proc/cpuinfo", "processor\t: 0");
	has("/proc/cpuinfo", "model name");
	has("/proc/cpuinfo", "flags");
	has("/proc/meminfo", "MemTotal:");
	has("/proc/meminfo", "MemFree:");
	has("/proc/meminfo", "MemAvailable:");
	has("/proc/stat", "cpu ");
	has("/proc/stat", "cpu0 ");
	has("/proc/stat", "btime ");
	CHECK_EQ(sscanf(read_file("/proc/uptime"), "%lf %lf", &up, &idle), 2);
	CHECK(up >= 0);
	has("/proc/version", "Linux version ");
	CHECK(strchr(read_file("/proc/loadavg"), '/') != NULL);
	say("%s", read_file("/proc/sys/kernel/ostype"));
	CHECK(atoi(read_file("/proc/sys/kernel/pid_max")) >= 1024);
	CHECK(strlen(read_file("/proc/sys/kernel/osrelease")) > 3);
	CHECK(strlen(read_file("/proc/sys/kernel/hostname")) > 0);
	has("/proc/filesystems", "tmpfs");
	OK(stat("/proc", &st));
	say("%o\n", st.st_mode);
	OK(stat("/proc/cpuinfo", &st));
	say("%o %ld\n", st.st_mode, (long)st.st_size);
	FAILS(open("/proc/missing", O_RDONLY), ENOENT);
	FAILS(open("/proc/new", O_WRONLY | O_CREAT, 0600), ENOENT);
	return 0;
}
