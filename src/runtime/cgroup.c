/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/mountinfo.h"

#define LEAF_PREFIX "ringfence-"
/* Controllers we can use; either alone is worth having. */
static const char *const controllers[] = { "memory", "pids" };

/* ---- where cgroups are ---- */

static bool find_mount(const char *mountinfo, char *root, char *mount)
{
	char *line = NULL;
	struct host_mount m;
	FILE *f = fopen(mountinfo, "re");
	size_t room = 0;
	bool found = false;

	while (f && !found && getline(&line, &room, f) > 0) {
		if (!mountinfo_parse(line, &m) || strcmp(m.type, "cgroup2") != 0 ||
		    strlen(m.root) >= PATH_MAX || strlen(m.point) >= PATH_MAX)
			continue;
		strcpy(root, m.root);
		strcpy(mount, m.point);
		found = true;
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

/* The line "0::PATH" is version 2's. */
static bool find_self(const char *cgroup, char *self)
{
	char line[PATH_MAX + 8];
	FILE *f = fopen(cgroup, "re");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		found = strncmp(line, "0::/", 4) == 0 && strlen(line + 3) < PATH_MAX;
		if (found)
			strcpy(self, line + 3);
	}
	if (f)
		fclose(f);
	return found;
}

int cgroup_find(const char *mountinfo, const char *cgroup, struct cgroup_host *ret, char *why,
		size_t size)
{
	char root[PATH_MAX];
	size_t n;

	memset(ret, 0, sizeof(*ret));
	if (!find_mount(mountinfo, root, ret->mount) || !find_self(cgroup, ret->self)) {
		snprintf(why, size, "no cgroup2 file system is mounted");
		return -ENOENT;
	}
	/* What is mounted may be a part of the tree; our cgroup may lie elsewhere ("/.." in a namespace). */
	n = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (strncmp(ret->self, root, n) != 0 || (ret->self[n] && ret->self[n] != '/') ||
	    strstr(ret->self, "/..")) {
		snprintf(why, size, "our cgroup %s is not below %s", ret->self, ret->mount);
		return -ENOENT;
	}
	memmove(ret->self, ret->self + n, strlen(ret->self + n) + 1);
	if (!ret->self[0])
		strcpy(ret->self, "/");
	return 0;
}

/* ---- files of a cgroup ---- */

static int write_text(const struct cgroup_host *h, const char *dir, const char *name,
		      const char *text)
{
	char path[PATH_MAX];
	int fd, r = 0;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CLOEXEC | (h && h->plain ? O_CREAT | O_TRUNC : 0), 0600);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		r = -errno;
	close(fd);
	return r;
}

static int write_number(const struct cgroup_host *h, const char *dir, const char *name, u64 value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", value);
	return write_text(h, dir, name, text);
}

/* Whether a file's words, blank separated, have @word. */
static bool file_has_word(const char *dir, const char *name, const char *word)
{
	char path[PATH_MAX], text[512] = "", *save = NULL;
	ssize_t n = -1;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (n <= 0)
		return false;
	for (char *t = strtok_r(text, " \n", &save); t; t = strtok_r(NULL, " \n", &save))
		if (strcmp(t, word) == 0)
			return true;
	return false;
}

/* ---- leaves of processes that are gone ---- */

/* The start time of a process: field 22 of proc_pid_stat(5); 0: there is no such process. */
static u64 process_start(long pid)
{
	char path[64], text[1024], *at;
	unsigned long long start = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	at = fgets(text, sizeof(text), f) ? strrchr(text, ')') : NULL;
	fclose(f);
	for (int field = 3; at && field <= 22; field++)
		at = strchr(at + 1, ' ');
	return at && sscanf(at, " %llu", &start) == 1 ? start : 0;
}

static bool maker_is_gone(const char *name)
{
	unsigned long long start;
	long pid;
	char end;

	if (sscanf(name, LEAF_PREFIX "%ld-%llu%c", &pid, &start, &end) != 2 || pid <= 0)
		return false;
	return process_start(pid) != start;
}

/* One that still has processes cannot be removed: rmdir(2) says EBUSY. */
static void remove_abandoned(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (maker_is_gone(e->d_name))
			unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
	if (d)
		closedir(d);
}

/* ---- making one ---- */

/*
 * A directory whose children have limits: those that the parent's cgroup.subtree_control names, or can be made to. That is
 * refused (EBUSY) to any but the root while it has processes of its own.
 */
static u32 usable_controllers(const struct cgroup_host *h, const char *dir)
{
	char text[32];
	u32 mask = 0;

	for (u32 i = 0; i < ARRAY_SIZE(controllers); i++) {
		if (!file_has_word(dir, "cgroup.controllers", controllers[i]))
			continue;
		snprintf(text, sizeof(text), "+%s", controllers[i]);
		if (file_has_word(dir, "cgroup.subtree_control", controllers[i]) ||
		    write_text(h, dir, "cgroup.subtree_control", text) == 0)
			mask |= 1u << i;
	}
	return mask;
}

static int set_limits(const struct cgroup_host *h, const char *leaf, const struct cgroup_limits *l,
		      u32 usable)
{
	int r = 0;

	if (usable & 1u)
		r = write_number(h, leaf, "memory.max", l->memory);
	if (r == 0 && (usable & 2u))
		r = write_number(h, leaf, "pids.max", l->pids);
	return r;
}

static int make_below(const struct cgroup_host *h, const char *dir, const struct cgroup_limits *l,
		      struct cgroup *ret)
{
	u32 usable = usable_controllers(h, dir);
	long pid = getpid();
	int r;

	if (!usable)
		return -EOPNOTSUPP;
	remove_abandoned(dir);
	if (snprintf(ret->path, sizeof(ret->path), "%s/" LEAF_PREFIX "%ld-%lu", dir, pid,
		     process_start(pid)) >= (int)sizeof(ret->path))
		return -ENAMETOOLONG;
	/* A second sandbox of the same process at the same time gets none. */
	if (mkdir(ret->path, 0755) < 0) {
		ret->path[0] = 0;
		return -errno;
	}
	r = set_limits(h, ret->path, l, usable);
	if (r < 0)
		cgroup_remove(ret);
	return r;
}

int cgroup_make(const struct cgroup_host *h, const struct cgroup_limits *l, struct cgroup *ret,
		char *why, size_t size)
{
	char dir[2 * PATH_MAX];
	char *slash;
	int r;

	ret->path[0] = 0;
	snprintf(dir, sizeof(dir), "%s%s", h->mount, strcmp(h->self, "/") == 0 ? "" : h->self);
	if (strlen(dir) >= PATH_MAX) {
		snprintf(why, size, "the path of our cgroup is too long");
		return -ENAMETOOLONG;
	}
	r = make_below(h, dir, l, ret);
	/* Where we are there are processes; beside us is where a manager that delegates expects more. */
	slash = strcmp(h->self, "/") == 0 ? NULL : strrchr(dir, '/');
	if (r < 0 && slash) {
		*slash = 0;
		r = make_below(h, dir, l, ret);
	}
	if (r == -EOPNOTSUPP)
		snprintf(why, size, "no memory or pids controller can be had at %s%s", h->mount,
			 h->self);
	else if (r < 0)
		snprintf(why, size, "cannot make one at %s%s: %s", h->mount, h->self, strerror(-r));
	return r;
}

int cgroup_enter(const struct cgroup *c, pid_t pid)
{
	return c->path[0] ? write_number(NULL, c->path, "cgroup.procs", (u64)pid) : -ENOENT;
}

void cgroup_remove(struct cgroup *c)
{
	if (c->path[0])
		rmdir(c->path);
	c->path[0] = 0;
}

int cgroup_make_own(const struct cgroup_limits *l, struct cgroup *ret, char *why, size_t size)
{
	struct cgroup_host host;
	int r = cgroup_find("/proc/self/mountinfo", "/proc/self/cgroup", &host, why, size);

	ret->path[0] = 0;
	return r < 0 ? r : cgroup_make(&host, l, ret, why, size);
}

bool cgroup_try(char *text, size_t size)
{
	const struct cgroup_limits limits = { .memory = 64ul << 20, .pids = 16 };
	struct cgroup c;
	int status = -1;
	pid_t child;

	if (cgroup_make_own(&limits, &c, text, size) < 0)
		return false;
	child = fork();
	if (child == 0)
		_exit(cgroup_enter(&c, 0) < 0);
	if (child > 0)
		waitpid(child, &status, 0);
	snprintf(text, size, status ? "no process can be moved below %.*s" : "below %.*s",
		 (int)(strrchr(c.path, '/') - c.path), c.path);
	cgroup_remove(&c);
	return status == 0;
}
