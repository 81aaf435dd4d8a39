/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds its way out by the links of /proc: root, cwd, exe and fd, of itself and of process 1.
 * Stopped by: they lead to our kernel's own objects; what --hide covers stays covered.
 * Escape-Expect: stopped: ENOENT from /proc/self/root
 * Escape-Expect: stopped: ENOENT from /proc/1/root
 * Escape-Expect: stopped: ENOENT from /proc/thread-self/root
 * Escape-Expect: stopped: ENOENT from /proc/self/task/1/root
 * Escape-Expect: stopped: ENOENT from /proc/self/cwd/..
 * Escape-Expect: stopped: ENOENT from /proc/1/cwd/..
 * Escape-Expect: stopped: ENOENT from /proc/self/fd/N/..
 * Escape-Expect: stopped: ENOENT from the root of a process outside
 */
#include "escape/escape.h"

static void try_under(const char *what, const char *prefix)
{
	char path[512];

	snprintf(path, sizeof(path), "%s%s", prefix, base_path("secret/key"));
	try_read(what, path);
}

void attempt(void)
{
	char path[64];

	try_under("/proc/self/root", "/proc/self/root");
	try_under("/proc/1/root", "/proc/1/root");
	try_under("/proc/thread-self/root", "/proc/thread-self/root");
	try_under("/proc/self/task/1/root", "/proc/self/task/1/root");
	OK(chdir(base_path("box")));
	try_read("/proc/self/cwd/..", "/proc/self/cwd/../secret/key");
	try_read("/proc/1/cwd/..", "/proc/1/cwd/../secret/key");
	snprintf(path, sizeof(path), "/proc/self/fd/%d/../secret/key", OK(open(".", O_PATH)));
	try_read("/proc/self/fd/N/..", path);
	snprintf(path, sizeof(path), "/proc/%s/root/etc/passwd", told("ESCAPE_VICTIM"));
	try_read("the root of a process outside", path);
}
