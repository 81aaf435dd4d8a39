/* SPDX-License-Identifier: Apache-2.0 */
/* The walls by name, what is known of each, and the order in which the cage is closed. */
#include "cage/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/platform.h"

static const struct {
	const char *name, *what;
} walls[CAGE_WALLS] = {
	[CAGE_USER] = { "user-namespace", "rights over namespaces end at the cage" },
	[CAGE_PID] = { "pid-namespace", "no process of the host can be named" },
	[CAGE_MOUNT] = { "mount-namespace", "mounts of its own" },
	[CAGE_NET] = { "network-namespace", "no interface, no abstract socket of the host" },
	[CAGE_IPC] = { "ipc-namespace", "no shared memory or queues of the host" },
	[CAGE_UTS] = { "uts-namespace", "no host name" },
	[CAGE_CGROUP] = { "cgroup-namespace", "no names of control groups" },
	[CAGE_VIEWS] = { "views", "host files only as far as the sandbox shows them" },
	[CAGE_ROOT] = { "empty-root", "an empty, read-only root directory" },
	[CAGE_KEYRING] = { "keyring", "no keys of the caller's session" },
	[CAGE_IDS] = { "user-id", "a user and groups without rights over processes" },
	[CAGE_CAPABILITIES] = { "capabilities", "none, in any set" },
	[CAGE_NO_NEW_PRIVS] = { "no-new-privs", "no execution gives rights" },
	[CAGE_DUMP] = { "undumpable", "no core dump, no tracing by others" },
	[CAGE_SECCOMP] = { "system-calls", "a filter on system calls" },
	[CAGE_LANDLOCK] = { "landlock",
			    "nothing opened outside the views, even through descriptors" },
};

const char *cage_wall_name(enum cage_wall wall)
{
	return walls[wall].name;
}

const char *cage_wall_what(enum cage_wall wall)
{
	return walls[wall].what;
}

bool cage_wall_required(enum cage_wall wall)
{
	return wall != CAGE_LANDLOCK; /* younger than the kernels we support */
}

void cage_init(struct cage *c, enum rf_isolation isolation)
{
	memset(c, 0, sizeof(*c));
	c->isolation = isolation;
	c->uid = geteuid();
	c->gid = getegid();
	c->other_ids = cage_other_ids();
	c->base = c->proc = -1;
}

void cage_stands(struct cage *c, enum cage_wall wall)
{
	c->wall[wall].state = CAGE_STANDS;
}

void cage_remark(struct cage *c, enum cage_wall wall, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->wall[wall].why, sizeof(c->wall[wall].why), format, args);
	va_end(args);
}

/* ---- what would help ---- */

/* A number in a file of /proc; -1: there is none. */
static long read_number(const char *path)
{
	char line[32];
	long value = -1;
	FILE *f = fopen(path, "re");

	if (f && fgets(line, sizeof(line), f))
		value = strtol(line, NULL, 10);
	if (f)
		fclose(f);
	return value;
}

/* For sure; a chroot to where something is mounted looks like none. */
static bool in_chroot(void)
{
	struct statx st;

	return statx(AT_FDCWD, "/", AT_NO_AUTOMOUNT, 0, &st) == 0 &&
	       (st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) &&
	       !(st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static const char *user_remedy(int error)
{
	if (error == -ENOSPC || error == -EUSERS)
		return "raise the sysctl user.max_user_namespaces, or nest user namespaces less deeply";
	if (error == -EINVAL || error == -ENOSYS)
		return "a kernel with CONFIG_USER_NS";
	if (in_chroot())
		return "start outside of this chroot, in which Linux refuses user namespaces";
	if (read_number("/proc/sys/kernel/unprivileged_userns_clone") == 0)
		return "set the sysctl kernel.unprivileged_userns_clone to 1, or run as root";
	if (read_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1)
		return "an AppArmor profile that allows userns for this program, or run as root";
	return "start outside of chroots, and in containers that allow unshare, mount and pivot_root";
}

static const char *namespace_remedy(int error)
{
	if (error == -ENOSPC)
		return "raise the sysctls user.max_*_namespaces";
	if (error == -EINVAL)
		return "a kernel with CONFIG_NAMESPACES, and CONFIG_PID_NS, CONFIG_NET_NS, CONFIG_IPC_NS, CONFIG_UTS_NS, CONFIG_CGROUPS";
	return "user namespaces, or root";
}

static const char *remedy(enum cage_wall wall, int error)
{
	switch (wall) {
	case CAGE_USER:
		return user_remedy(error);
	case CAGE_PID:
	case CAGE_MOUNT:
	case CAGE_NET:
	case CAGE_IPC:
	case CAGE_UTS:
	case CAGE_CGROUP:
		return namespace_remedy(error);
	case CAGE_VIEWS:
	case CAGE_ROOT:
		if (error == -ENOSYS)
			return "Linux 5.12 or newer, for mount_setattr";
		return "user and mount namespaces, and /proc mounted";
	case CAGE_KEYRING:
		if (error == -EDQUOT)
			return "raise the sysctl kernel.keys.maxkeys";
		return "a security module that lets processes make keyrings";
	case CAGE_IDS:
		return "a caller that may map user ids: CAP_SETUID, CAP_SETGID and CAP_SETFCAP, or an ordinary user";
	case CAGE_CAPABILITIES:
		return "user namespaces, or root";
	case CAGE_SECCOMP:
		return "Linux 4.14 or newer with CONFIG_SECCOMP_FILTER";
	case CAGE_LANDLOCK:
		return "Linux 5.13 or newer with CONFIG_SECURITY_LANDLOCK and landlock in lsm=";
	default:
		return "";
	}
}

int cage_missing(struct cage *c, enum cage_wall wall, int error, const char *what,
		 struct rf_error *err)
{
	struct cage_finding *f = &c->wall[wall];

	f->state = CAGE_MISSING;
	snprintf(f->why, sizeof(f->why), "%s: %s", what, strerror(-error));
	snprintf(f->remedy, sizeof(f->remedy), "%s", remedy(wall, error));
	if (c->isolation != RF_ISOLATION_FULL || !cage_wall_required(wall))
		return 0;
	c->refused = true;
	return rf_error_set(
		err, error,
		"the monitor cannot be isolated: no %s (%s). What would help: %s; or --isolation=reduced",
		walls[wall].name, f->why, f->remedy);
}

int cage_close(struct cage *c, const struct cage_view *views, size_t count, struct rf_error *err)
{
	int r;

	if (c->isolation == RF_ISOLATION_NONE)
		return 0;
	r = cage_enter_root(c, err);
	if (r == 0)
		r = cage_drop_rights(c, err);
	return r < 0 ? r : cage_landlock(c, views, count, err);
}
