/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file is made only now, after the monitor has ended, by us, who are not in its cage: O_EXCL, so that nothing that is there
 * already, and no symbolic link, is written to; mode 0600, since the kernel's registers and stacks may hold the program's data.
 */
#include "runtime/report_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "monitor/monitor.h"
#include "monitor/text.h"

#define NAME_PREFIX "ringfence-"
#define NAME_SUFFIX ".report"
#define NAME_TRIES  100
/* A sandbox that dies at every start must not fill the disk over night. */
#define REPORTS_MAX 100u
#define HEADER_MAX  4096u

struct report *report_prepare(const struct rf_config *c)
{
	return c->report_file || c->report_dir ? report_new() : NULL;
}

static bool is_lost(const struct rf_result *r)
{
	return r->failure == RF_FAILURE_INTERNAL || r->failure == RF_FAILURE_PANIC;
}

/* ---- the text ---- */

struct header {
	size_t len;
	char text[HEADER_MAX];
};

static __printf(2, 3) void say(struct header *h, const char *format, ...)
{
	size_t room = sizeof(h->text) - h->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(h->text + h->len, room, format, args);
	va_end(args);
	if (n > 0)
		h->len += MIN((size_t)n, room - 1);
}

static void say_time(struct header *h)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[64];

	if (gmtime_r(&now, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		say(h, "time: %s\n", text);
}

static void say_host(struct header *h)
{
	struct utsname u;
	char line[256];
	FILE *f = fopen("/proc/cpuinfo", "re");

	if (uname(&u) == 0)
		say(h, "host: %s %s %s\n", u.sysname, u.release, u.machine);
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "model name", 10) == 0) {
			say(h, "processor: %s", strchr(line, ':') ? strchr(line, ':') + 2 : "?\n");
			break;
		}
	if (f)
		fclose(f);
}

/* The program by its first argument alone: others, and the environment, may be secrets. So may the names of host files. */
static void say_config(struct header *h, const struct rf_config *c)
{
	static const char *const kinds[] = { "rw", "ro", "hide", "tmpfs" };
	static const char *const kpti[] = { "auto", "on", "off" };
	size_t count[ARRAY_SIZE(kinds)] = { 0 };

	for (size_t i = 0; i < c->mount_count; i++)
		if ((size_t)c->mounts[i].kind < ARRAY_SIZE(kinds))
			count[c->mounts[i].kind]++;
	say(h, "program: %.200s\n", c->argv && c->argv[0] ? c->argv[0] : "?");
	say(h,
	    "configuration: %u CPUs, %lu MiB, %u tasks, kpti %s, huge pages %s, withheld features %#x, mounts",
	    c->cpus, c->limits.memory >> 20, c->limits.pids,
	    (size_t)c->kpti < ARRAY_SIZE(kpti) ? kpti[c->kpti] : "?", c->huge_pages ? "on" : "off",
	    c->withheld_features);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		say(h, " %s %zu", kinds[i], count[i]);
	say(h, "\n");
}

static void say_result(struct header *h, const struct rf_result *r, const struct rf_error *err)
{
	say(h, "platform: %s, residency %s\n", r->platform ? r->platform : "?",
	    r->residency == RF_RESIDENCY_GUEST ? "guest" : "host");
	say(h, "end: %s (%s)\n", err ? err->text : "",
	    r->failure == RF_FAILURE_PANIC ? "kernel" : "monitor");
	say(h, "lived: %lu ms; %lu hostcalls, %lu system calls, %lu exits\n",
	    r->timing.end_us / 1000, r->totals.hostcalls, r->totals.syscalls,
	    r->totals.platform.exits);
}

static void make_header(struct header *h, const struct rf_config *c, const struct rf_result *r,
			const struct rf_error *err)
{
	h->len = 0;
	say(h, "Ringfence %s report of a lost sandbox\n", RINGFENCE_VERSION);
	say_time(h);
	say_host(h);
	say_result(h, r, err);
	say_config(h, c);
	say(h,
	    "What follows is what the sandbox's kernel and monitor said and looked like. The last system calls are the kernel's own record.\n\n");
	text_defuse(h->text, h->len);
}

/* ---- the file ---- */

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* As `mkdir -p -m 700`. */
static int make_directories(const char *path)
{
	char copy[PATH_MAX];

	if (strlen(path) >= sizeof(copy))
		return -ENAMETOOLONG;
	strcpy(copy, path);
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		if (mkdir(copy, 0700) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(copy, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static bool is_report(const char *name)
{
	size_t len = strlen(name), suffix = sizeof(NAME_SUFFIX) - 1;

	return strncmp(name, NAME_PREFIX, sizeof(NAME_PREFIX) - 1) == 0 && len > suffix &&
	       strcmp(name + len - suffix, NAME_SUFFIX) == 0;
}

static u32 count_reports(int dir)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;
	u32 n = 0;

	if (!d) {
		if (copy >= 0)
			close(copy);
		return 0;
	}
	while ((e = readdir(d)) != NULL)
		n += is_report(e->d_name);
	closedir(d);
	return n;
}

static int create(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY,
			0600);

	return fd < 0 ? -errno : fd;
}

/* A new file in @path, whose name goes to @name. */
static int create_in(const char *path, char *name, size_t size)
{
	int r = make_directories(path), dir;
	char stamp[32] = "";
	time_t now = time(NULL);
	struct tm tm;

	if (r < 0)
		return r;
	dir = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	if (count_reports(dir) >= REPORTS_MAX) {
		close(dir);
		return -EDQUOT;
	}
	if (gmtime_r(&now, &tm))
		strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
	for (int i = 0; i < NAME_TRIES; i++) {
		char file[96];

		snprintf(file, sizeof(file), NAME_PREFIX "%s-%d-%d" NAME_SUFFIX, stamp,
			 (int)getpid(), i);
		snprintf(name, size, "%s/%s", path, file);
		r = create(dir, file);
		if (r != -EEXIST)
			break;
	}
	close(dir);
	return r;
}

static int save(const struct rf_config *c, const char *header, size_t header_len, const char *text,
		size_t len, struct rf_result *ret)
{
	int fd, r;

	if (c->report_file) {
		snprintf(ret->report_file, sizeof(ret->report_file), "%s", c->report_file);
		fd = create(AT_FDCWD, c->report_file);
	} else {
		fd = create_in(c->report_dir, ret->report_file, sizeof(ret->report_file));
	}
	if (fd < 0)
		return fd;
	r = write_all(fd, header, header_len);
	if (r == 0)
		r = write_all(fd, text, len);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		unlink(ret->report_file);
	return r;
}

static const char *why_not(int r)
{
	return r == -EDQUOT  ? "there are 100 reports already; remove old ones"
	       : r == -ELOOP ? "it is a symbolic link"
			     : strerror(-r);
}

void report_finish(const struct rf_config *c, struct report *report, struct rf_result *ret,
		   const struct rf_error *err)
{
	char *text = report && is_lost(ret) ? malloc(REPORT_MAX + 1) : NULL;
	struct header header;
	size_t len;
	int r;

	ret->report_file[0] = 0; /* not the monitor's to say */
	if (text) {
		len = report_take(report, text);
		make_header(&header, c, ret, err);
		r = save(c, header.text, header.len, text, len, ret);
		if (r < 0) {
			dprintf(c->log_fd, "ringfence: no report in %s: %s\n",
				c->report_file ? c->report_file : c->report_dir, why_not(r));
			ret->report_file[0] = 0;
			write_all(c->log_fd, text, len);
		}
		free(text);
	}
}
