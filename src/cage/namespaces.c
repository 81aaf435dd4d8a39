/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cage/cage.h"
#include "platform/platform.h"

#define MAP_LINES_MAX 340 /* user_namespaces(7) */

static const struct {
	enum cage_wall wall;
	int flag;
} namespaces[] = {
	{ CAGE_USER, CLONE_NEWUSER },     { CAGE_PID, CLONE_NEWPID }, { CAGE_MOUNT, CLONE_NEWNS },
	{ CAGE_NET, CLONE_NEWNET },       { CAGE_IPC, CLONE_NEWIPC }, { CAGE_UTS, CLONE_NEWUTS },
	{ CAGE_CGROUP, CLONE_NEWCGROUP },
};

static int unshare_each(struct cage *c, struct rf_error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		int r = 0;

		if (unshare(namespaces[i].flag) == 0)
			cage_stands(c, namespaces[i].wall);
		else
			r = cage_missing(c, namespaces[i].wall, -errno, "unshare", err);
		if (r < 0)
			return r;
	}
	return 0;
}

int cage_unshare(struct cage *c, struct rf_error *err)
{
	int all = 0, r = 0;

	if (c->isolation == RF_ISOLATION_NONE)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
		all |= namespaces[i].flag;
	if (unshare(all) < 0)
		r = unshare_each(c, err); /* it is all or nothing: find out which */
	else
		for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
			cage_stands(c, namespaces[i].wall);
	return r;
}

/* ---- ids ---- */

static int write_file(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n != (ssize_t)len)
		r = n < 0 ? -errno : -EIO;
	close(fd);
	return r;
}

/* Each id this namespace has, as itself: the lines of our own map with the left column twice. */
static int write_whole_map(pid_t pid, const char *name)
{
	char text[MAP_LINES_MAX * 36]; /* not static: callers may have threads */
	char path[64];
	unsigned int first, outside, count;
	size_t len = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/%s", name);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (len + 36 < sizeof(text) && fscanf(f, "%u %u %u", &first, &outside, &count) == 3)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%u %u %u\n", first, first,
					count);
	fclose(f);
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return write_file(path, text, len);
}

static int write_own_map(const char *name, unsigned int id)
{
	char path[64], text[40];

	snprintf(path, sizeof(path), "/proc/self/%s", name);
	return write_file(path, text, (size_t)snprintf(text, sizeof(text), "%u %u 1\n", id, id));
}

static bool may_map_all(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	u32 wanted = 1u << CAP_SETUID | 1u << CAP_SETGID;

	return syscall(SYS_capget, &header, data) == 0 && (data[0].effective & wanted) == wanted;
}

u32 cage_user_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) < 0 ? 0 : (u32)st.st_ino;
}

/* Whether /proc shows @pid as we know it: one that a container was lent shows other processes by these numbers. */
static bool is_in_namespace(pid_t pid, u32 user_namespace)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	return stat(path, &st) == 0 && (u32)st.st_ino == user_namespace;
}

int cage_map_ids(pid_t guardian, u32 user_namespace)
{
	int r;

	if (!may_map_all())
		return -EPERM;
	if (!is_in_namespace(guardian, user_namespace))
		return -ESRCH;
	r = write_whole_map(guardian, "uid_map");
	return r < 0 ? r : write_whole_map(guardian, "gid_map");
}

int cage_map_own_ids(const struct cage *c, struct rf_error *err)
{
	int r = write_own_map("uid_map", c->uid);

	if (r == 0)
		r = write_file("/proc/self/setgroups", "deny", 4);
	if (r == 0 || r == -ENOENT)
		r = write_own_map("gid_map", c->gid);
	return r < 0 ? rf_error_set(
			       err, r,
			       "cannot map the user id in /proc/self (is /proc mounted, is the caller dumpable?): %s",
			       strerror(-r))
		     : 0;
}

/*
 * CAP_KILL stays: a parent's death signal, too, is sent with the parent's rights (kill(2)), and the monitor gets another user
 * id than ours.
 */
int cage_guardian(struct cage *c, struct rf_error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (c->isolation == RF_ISOLATION_NONE)
		return 0;
	if (syscall(SYS_capget, &header, data) < 0)
		return rf_error_set(err, -errno, "capget: %s", strerror(errno));
	data[0].effective = data[0].permitted &= 1u << CAP_KILL;
	data[1].effective = data[1].permitted = 0;
	data[0].inheritable = data[1].inheritable = 0;
	if (syscall(SYS_capset, &header, data) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return rf_error_set(err, -errno, "cannot drop the guardian's rights: %s",
				    strerror(errno));
	return 0;
}
