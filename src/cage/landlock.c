/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock, on top of the mounts: it also stops what needs no path below a view, as opening a standard stream's file again
 * through /proc/self/fd with more rights than the descriptor has. landlock(7); numbers of newer versions than Debian's headers know are here.
 */
#include <errno.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cage/cage.h"
#include "platform/platform.h"

/* What each version of the interface can restrict: the rights to files, all of them refused where no rule allows them. */
#define FS_VERSION_1 ((1ull << 13) - 1)
#define FS_REFER     (1ull << 13)
#define FS_TRUNCATE  (1ull << 14)
#define FS_IOCTL_DEV (1ull << 15)
#define NET_ALL      3ull /* bind and connect by TCP */
#define SCOPE_ALL    3ull /* abstract sockets and signals beyond this domain */
#define NEVER                                                        \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | \
	 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SOCK | FS_IOCTL_DEV)
#define READ        (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* Of these a rule for a file may have no others: EINVAL. */
#define FILE_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)

struct ruleset {
	u64 fs, net, scope;
};

/* What version @abi handles; the size of its structure in *@ret_size. */
static struct ruleset handled_by(long abi, size_t *ret_size)
{
	struct ruleset r = { .fs = FS_VERSION_1 };

	*ret_size = sizeof(r.fs);
	if (abi >= 2)
		r.fs |= FS_REFER;
	if (abi >= 3)
		r.fs |= FS_TRUNCATE;
	if (abi >= 4) {
		r.net = NET_ALL;
		*ret_size = offsetof(struct ruleset, scope);
	}
	if (abi >= 5)
		r.fs |= FS_IOCTL_DEV;
	if (abi >= 6) {
		r.scope = SCOPE_ALL;
		*ret_size = sizeof(r);
	}
	return r;
}

static int allow_view(int rules, const struct cage_view *v, u64 handled)
{
	struct landlock_path_beneath_attr attr = {
		.parent_fd = v->fd,
		.allowed_access = v->writable ? handled & ~NEVER : handled & READ,
	};

	if (v->is_file)
		attr.allowed_access &= FILE_RIGHTS;
	return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &attr, 0) < 0
		       ? -errno
		       : 0;
}

static int restrict_to(long abi, const struct cage_view *views, size_t count)
{
	size_t size;
	struct ruleset r = handled_by(abi, &size);
	int rules = (int)syscall(SYS_landlock_create_ruleset, &r, size, 0), e = 0;

	if (rules < 0)
		return -errno;
	for (size_t i = 0; i < count && e == 0; i++)
		e = allow_view(rules, &views[i], r.fs);
	if (e == 0 && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		e = -errno;
	close(rules);
	return e;
}

int cage_landlock(struct cage *c, const struct cage_view *views, size_t count, struct rf_error *err)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	int r = abi < 0 ? -errno : restrict_to(abi, views, count);

	if (r < 0)
		return cage_missing(c, CAGE_LANDLOCK, r, "landlock", err);
	cage_remark(c, CAGE_LANDLOCK, "version %ld", abi);
	cage_stands(c, CAGE_LANDLOCK);
	return 0;
}
