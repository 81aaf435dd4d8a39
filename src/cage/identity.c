/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who the monitor is: nobody, but for the rights of the caller to files.
 *
 * Rights over processes and keys go by the real, effective and saved user id, rights to files by the file system user id
 * (credentials(7)): only that one stays the caller's. Without CAP_SETUID, and under the system call filter, there is no way back.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cage/cage.h"

/* Below 65536, so that containers have it; outside of what Debian and systemd give to anybody. */
#define CAGE_ID 65533u

/* No rights by user id, none kept over a change of it, none gained; all of it for good. */
#define SECUREBITS                                                                               \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                         \
	 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | \
	 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static int join_keyring(struct cage *c, struct rf_error *err)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0) {
		/* A kernel without keys, or a container whose filter keeps us from them all. */
		if (errno != ENOSYS && errno != EPERM)
			return cage_missing(c, CAGE_KEYRING, -errno, "keyctl", err);
		cage_remark(c, CAGE_KEYRING, "keyctl: %s", strerror(errno));
	}
	cage_stands(c, CAGE_KEYRING);
	return 0;
}

/* ---- ids ---- */

bool cage_other_ids(void)
{
	unsigned int first, outside, count;
	FILE *f = fopen("/proc/self/uid_map", "re");
	bool mapped = false;

	while (f && !mapped && fscanf(f, "%u %u %u", &first, &outside, &count) == 3)
		mapped = CAGE_ID >= first && CAGE_ID - first < count;
	if (f)
		fclose(f);
	return mapped && geteuid() == 0;
}

static int change_ids(const struct cage *c)
{
	if (setresgid(CAGE_ID, CAGE_ID, CAGE_ID) < 0 || setresuid(CAGE_ID, CAGE_ID, CAGE_ID) < 0)
		return -errno;
	setfsgid(c->gid);
	setfsuid(c->uid);
	if ((gid_t)setfsgid((gid_t)-1) != c->gid || (uid_t)setfsuid((uid_t)-1) != c->uid)
		return -EPERM;
	return 0;
}

static int become_nobody(struct cage *c, struct rf_error *err)
{
	int r;

	/* An ordinary user's groups cannot be dropped, and give no rights but to files. */
	if (setgroups(0, NULL) < 0)
		cage_remark(c, CAGE_IDS, "the caller's groups stay");
	r = change_ids(c);
	if (r == -EINVAL || r == -EPERM) {
		/* An ordinary user's only one. */
		if (c->other_ids)
			return cage_missing(c, CAGE_IDS, r, "setresuid", err);
		cage_remark(c, CAGE_IDS,
			    "the caller's user id and groups stay: it can have no other");
		r = 0;
	}
	if (r < 0)
		return cage_missing(c, CAGE_IDS, r, "setresuid", err);
	cage_stands(c, CAGE_IDS);
	return 0;
}

/* ---- capabilities ---- */

static int empty_bounding_set(void)
{
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	return 0;
}

static int empty_sets(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

static int drop_capabilities(struct cage *c, struct rf_error *err)
{
	int bounding = empty_bounding_set(), r;

	if (prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) < 0 && bounding == 0)
		bounding = -errno;
	r = empty_sets();
	if (r < 0)
		return cage_missing(c, CAGE_CAPABILITIES, r, "capset", err);
	if (bounding < 0)
		return cage_missing(c, CAGE_CAPABILITIES, bounding, "bounding set and securebits",
				    err);
	cage_stands(c, CAGE_CAPABILITIES);
	return 0;
}

/* ---- the rest ---- */

static int forbid_dumps(struct cage *c, struct rf_error *err)
{
	static const __rlimit_resource_t none[] = { RLIMIT_CORE, RLIMIT_MSGQUEUE };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(none) && r == 0; i++)
		r = setrlimit(none[i], &(struct rlimit){ 0, 0 });
	/* After the last change of ids, which sets it anew. */
	if (r < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return cage_missing(c, CAGE_DUMP, -errno, "setrlimit and prctl", err);
	cage_stands(c, CAGE_DUMP);
	return 0;
}

static int set_no_new_privs(struct cage *c, struct rf_error *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return cage_missing(c, CAGE_NO_NEW_PRIVS, -errno, "prctl", err);
	cage_stands(c, CAGE_NO_NEW_PRIVS);
	return 0;
}

int cage_drop_rights(struct cage *c, struct rf_error *err)
{
	int r = join_keyring(c, err);

	/* Or the change of ids would take the capabilities that the rest of it needs. */
	(void)prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0);
	if (r == 0)
		r = become_nobody(c, err);
	if (r == 0)
		r = drop_capabilities(c, err);
	if (r == 0)
		r = set_no_new_privs(c, err);
	return r < 0 ? r : forbid_dumps(c, err);
}
