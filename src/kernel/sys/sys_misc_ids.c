/* SPDX-License-Identifier: Apache-2.0 */
/* User and group ids, capabilities: credentials(7), capabilities(7), setresuid(2). */
#include "abi/linux/capability.h"
#include "abi/linux/errno.h"
#include "abi/linux/limits.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/proc.h"
#include "kernel/sys/syscall.h"

#define ID_KEEP    (~0u)
#define GROUPS_MAX 65536u
/* Capabilities that go with fsuid 0: capabilities(7), "Effect of user ID changes". */
#define CAP_FS_SET                                                               \
	(1ull << CAP_CHOWN | 1ull << CAP_MKNOD | 1ull << CAP_DAC_OVERRIDE |      \
	 1ull << CAP_DAC_READ_SEARCH | 1ull << CAP_FOWNER | 1ull << CAP_FSETID | \
	 1ull << CAP_LINUX_IMMUTABLE | 1ull << CAP_MAC_OVERRIDE)
#define SECBIT_NO_SETUID_FIXUP (1u << 2)
#define SECBIT_KEEP_CAPS       (1u << 4)

#define ID_GETTER(name, field)                       \
	sysret_t sys_##name(const struct sysargs *a) \
	{                                            \
		(void)a;                             \
		return current->cred->field;         \
	}
ID_GETTER(getuid, uid)
ID_GETTER(geteuid, euid)
ID_GETTER(getgid, gid)
ID_GETTER(getegid, egid)

static sysret_t put_ids(const struct sysargs *a, u32 r, u32 e, u32 s)
{
	if (put_user_u32(arg_ptr(a, 0), r) < 0 || put_user_u32(arg_ptr(a, 1), e) < 0 ||
	    put_user_u32(arg_ptr(a, 2), s) < 0)
		return -EFAULT;
	return 0;
}

sysret_t sys_getresuid(const struct sysargs *a)
{
	const struct cred *c = current->cred;

	return put_ids(a, c->uid, c->euid, c->suid);
}

sysret_t sys_getresgid(const struct sysargs *a)
{
	const struct cred *c = current->cred;

	return put_ids(a, c->gid, c->egid, c->sgid);
}

/* ---- setting uids ---- */

static bool any_root(const struct cred *c)
{
	return c->uid == 0 || c->euid == 0 || c->suid == 0;
}

/* Capabilities follow transitions between root and other users. */
static void fix_capabilities(struct cred *c, const struct cred *old)
{
	bool keep = current->proc->keep_caps || (c->securebits & SECBIT_KEEP_CAPS);

	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (any_root(old) && !any_root(c)) {
		if (!keep)
			c->cap_permitted = c->cap_effective = 0;
		c->cap_ambient = 0;
	}
	if (old->euid == 0 && c->euid != 0)
		c->cap_effective = 0;
	if (old->euid != 0 && c->euid == 0)
		c->cap_effective = c->cap_permitted;
}

static void commit_uids(struct cred *c)
{
	fix_capabilities(c, current->cred);
	cred_commit(c);
}

sysret_t sys_setuid(const struct sysargs *a)
{
	u32 uid = arg_u32(a, 0);
	const struct cred *old = current->cred;
	struct cred *c;

	if (uid == ID_KEEP)
		return -EINVAL;
	if (!capable(CAP_SETUID) && uid != old->uid && uid != old->suid)
		return -EPERM;
	c = cred_copy(old);
	if (!c)
		return -ENOMEM;
	if (capable(CAP_SETUID))
		c->uid = c->suid = uid;
	c->euid = c->fsuid = uid;
	commit_uids(c);
	return 0;
}

sysret_t sys_setreuid(const struct sysargs *a)
{
	u32 ruid = arg_u32(a, 0), euid = arg_u32(a, 1);
	const struct cred *old = current->cred;
	bool all = capable(CAP_SETUID);
	struct cred *c;

	if (ruid != ID_KEEP && !all && ruid != old->uid && ruid != old->euid)
		return -EPERM;
	if (euid != ID_KEEP && !all && euid != old->uid && euid != old->euid && euid != old->suid)
		return -EPERM;
	c = cred_copy(old);
	if (!c)
		return -ENOMEM;
	if (ruid != ID_KEEP)
		c->uid = ruid;
	if (euid != ID_KEEP)
		c->euid = euid;
	if (ruid != ID_KEEP || (euid != ID_KEEP && euid != old->uid))
		c->suid = c->euid;
	c->fsuid = c->euid;
	commit_uids(c);
	return 0;
}

static bool uid_allowed(const struct cred *c, u32 id)
{
	return id == ID_KEEP || id == c->uid || id == c->euid || id == c->suid;
}

sysret_t sys_setresuid(const struct sysargs *a)
{
	u32 r = arg_u32(a, 0), e = arg_u32(a, 1), s = arg_u32(a, 2);
	const struct cred *old = current->cred;
	struct cred *c;

	if (!capable(CAP_SETUID) &&
	    !(uid_allowed(old, r) && uid_allowed(old, e) && uid_allowed(old, s)))
		return -EPERM;
	c = cred_copy(old);
	if (!c)
		return -ENOMEM;
	if (r != ID_KEEP)
		c->uid = r;
	if (e != ID_KEEP)
		c->euid = e;
	if (s != ID_KEEP)
		c->suid = s;
	c->fsuid = c->euid;
	commit_uids(c);
	return 0;
}

/* Returns the old id whether or not it changes it: setfsuid(2). */
sysret_t sys_setfsuid(const struct sysargs *a)
{
	u32 uid = arg_u32(a, 0);
	const struct cred *old = current->cred;
	u32 was = old->fsuid;
	struct cred *c;

	if (uid == ID_KEEP || (!uid_allowed(old, uid) && uid != old->fsuid && !capable(CAP_SETUID)))
		return was;
	c = cred_copy(old);
	if (!c)
		return was;
	c->fsuid = uid;
	if (old->fsuid == 0 && uid != 0)
		c->cap_effective &= ~CAP_FS_SET;
	if (old->fsuid != 0 && uid == 0)
		c->cap_effective |= c->cap_permitted & CAP_FS_SET;
	cred_commit(c);
	return was;
}

/* ---- gids ---- */

static bool gid_allowed(const struct cred *c, u32 id)
{
	return id == ID_KEEP || id == c->gid || id == c->egid || id == c->sgid;
}

sysret_t sys_setgid(const struct sysargs *a)
{
	u32 gid = arg_u32(a, 0);
	const struct cred *old = current->cred;
	struct cred *c;

	if (gid == ID_KEEP)
		return -EINVAL;
	if (!capable(CAP_SETGID) && gid != old->gid && gid != old->sgid)
		return -EPERM;
	c = cred_copy(old);
	if (!c)
		return -ENOMEM;
	if (capable(CAP_SETGID))
		c->gid = c->sgid = gid;
	c->egid = c->fsgid = gid;
	cred_commit(c);
	return 0;
}

sysret_t sys_setregid(const struct sysargs *a)
{
	u32 rgid = arg_u32(a, 0), egid = arg_u32(a, 1);
	const struct cred *old = current->cred;
	bool all = capable(CAP_SETGID);
	struct cred *c;

	if (rgid != ID_KEEP && !all && rgid != old->gid && rgid != old->egid)
		return -EPERM;
	if (egid != ID_KEEP && !all && egid != old->gid && egid != old->egid && egid != old->sgid)
		return -EPERM;
	c = cred_copy(old);
	if (!c)
		return -ENOMEM;
	if (rgid != ID_KEEP)
		c->gid = rgid;
	if (egid != ID_KEEP)
		c->egid = egid;
	if (rgid != ID_KEEP || (egid != ID_KEEP && egid != old->gid))
		c->sgid = c->egid;
	c->fsgid = c->egid;
	cred_commit(c);
	return 0;
}

sysret_t sys_setresgid(const struct sysargs *a)
{
	u32 r = arg_u32(a, 0), e = arg_u32(a, 1), s = arg_u32(a, 2);
	const struct cred *old = current->cred;
	struct cred *c;

	if (!capable(CAP_SETGID) &&
	    !(gid_allowed(old, r) && gid_allowed(old, e) && gid_allowed(old, s)))
		return -EPERM;
	c = cred_copy(old);
	if (!c)
		return -ENOMEM;
	if (r != ID_KEEP)
		c->gid = r;
	if (e != ID_KEEP)
		c->egid = e;
	if (s != ID_KEEP)
		c->sgid = s;
	c->fsgid = c->egid;
	cred_commit(c);
	return 0;
}

sysret_t sys_setfsgid(const struct sysargs *a)
{
	u32 gid = arg_u32(a, 0);
	const struct cred *old = current->cred;
	u32 was = old->fsgid;
	struct cred *c;

	if (gid == ID_KEEP || (!gid_allowed(old, gid) && gid != old->fsgid && !capable(CAP_SETGID)))
		return was;
	c = cred_copy(old);
	if (!c)
		return was;
	c->fsgid = gid;
	cred_commit(c);
	return was;
}

sysret_t sys_getgroups(const struct sysargs *a)
{
	const struct cred *c = current->cred;
	int size = arg_int(a, 0);

	if (size < 0)
		return -EINVAL;
	if (!size)
		return c->ngroups;
	if ((u32)size < c->ngroups)
		return -EINVAL;
	if (c->ngroups && copy_to_user(arg_ptr(a, 1), c->groups, c->ngroups * sizeof(u32)) < 0)
		return -EFAULT;
	return c->ngroups;
}

sysret_t sys_setgroups(const struct sysargs *a)
{
	u32 n = arg_u32(a, 0), *groups = NULL;
	struct cred *c;

	if (!capable(CAP_SETGID))
		return -EPERM;
	if (n > GROUPS_MAX)
		return -EINVAL;
	if (n) {
		groups = kcalloc(n, sizeof(u32));
		if (!groups)
			return -ENOMEM;
		if (copy_from_user(groups, arg_ptr(a, 1), n * sizeof(u32)) < 0) {
			kfree(groups);
			return -EFAULT;
		}
	}
	c = cred_copy(current->cred);
	if (!c) {
		kfree(groups);
		return -ENOMEM;
	}
	kfree(c->groups);
	c->groups = groups;
	c->ngroups = n;
	cred_commit(c);
	return 0;
}

/* ---- capabilities ---- */

/* u32 words of each set for the header's version; an unknown one is answered with ours: capget(2). */
static int cap_words(uptr_t header, struct linux_cap_user_header *h, unsigned *ret)
{
	if (copy_from_user(h, header, sizeof(*h)) < 0)
		return -EFAULT;
	switch (h->version) {
	case _LINUX_CAPABILITY_VERSION_1:
		*ret = 1;
		return 0;
	case _LINUX_CAPABILITY_VERSION_2:
	case _LINUX_CAPABILITY_VERSION_3:
		*ret = 2;
		return 0;
	default:
		return put_user_u32(header, _LINUX_CAPABILITY_VERSION_3) < 0 ? -EFAULT : -EINVAL;
	}
}

sysret_t sys_capget(const struct sysargs *a)
{
	struct linux_cap_user_header h;
	struct linux_cap_user_data d[2];
	const struct task *t = current;
	unsigned words = 0;
	int r = cap_words(arg_ptr(a, 0), &h, &words);

	if (r < 0)
		/* With no place for data this only asks for the version. */
		return r == -EINVAL && !arg_ptr(a, 1) ? 0 : r;
	if (!arg_ptr(a, 1))
		return 0;
	if (h.pid < 0)
		return -EINVAL;
	if (h.pid)
		t = task_find(h.pid);
	if (!t)
		return -ESRCH;
	for (unsigned i = 0; i < 2; i++) {
		d[i].effective = (u32)(t->cred->cap_effective >> (32 * i));
		d[i].permitted = (u32)(t->cred->cap_permitted >> (32 * i));
		d[i].inheritable = (u32)(t->cred->cap_inheritable >> (32 * i));
	}
	return copy_to_user(arg_ptr(a, 1), d, words * sizeof(d[0]));
}

sysret_t sys_capset(const struct sysargs *a)
{
	struct linux_cap_user_header h;
	struct linux_cap_user_data d[2] = { 0 };
	const struct cred *old = current->cred;
	u64 effective, permitted, inheritable;
	unsigned words = 0;
	struct cred *c;
	int r = cap_words(arg_ptr(a, 0), &h, &words);

	if (r < 0)
		return r;
	if (h.pid && h.pid != current->tid)
		return -EPERM;
	if (copy_from_user(d, arg_ptr(a, 1), words * sizeof(d[0])) < 0)
		return -EFAULT;
	effective = (d[0].effective | (u64)d[1].effective << 32) & CAP_FULL_SET;
	permitted = (d[0].permitted | (u64)d[1].permitted << 32) & CAP_FULL_SET;
	inheritable = (d[0].inheritable | (u64)d[1].inheritable << 32) & CAP_FULL_SET;
	if ((permitted & ~old->cap_permitted) || (effective & ~permitted))
		return -EPERM;
	if (!capable(CAP_SETPCAP) && (inheritable & ~(old->cap_inheritable | old->cap_permitted)))
		return -EPERM;
	if (inheritable & ~(old->cap_inheritable | old->cap_bounding))
		return -EPERM;
	c = cred_copy(old);
	if (!c)
		return -ENOMEM;
	c->cap_effective = effective;
	c->cap_permitted = permitted;
	c->cap_inheritable = inheritable;
	c->cap_ambient &= permitted & inheritable;
	cred_commit(c);
	return 0;
}
