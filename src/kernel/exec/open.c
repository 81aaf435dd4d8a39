/* SPDX-License-Identifier: Apache-2.0 */
/* Opening what is to be executed: execve(2), ERRORS. */
#include "kernel/exec/exec.h"

#include "abi/linux/fcntl.h"
#include "kernel/mm/map.h"

static int check_executable(const struct path *p)
{
	struct inode *i = p->dentry->inode;

	if (S_ISLNK(i->mode))
		return -ELOOP;
	if (!S_ISREG(i->mode) || (p->mnt->flags & MS_NOEXEC))
		return -EACCES;
	if (i->write_count)
		return -ETXTBSY;
	return inode_permission(i, MAY_EXEC);
}

int exec_open(int dirfd, const char *path, u32 at_flags, struct file **ret)
{
	u32 lookup = at_flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;
	struct path p;
	int r;

	if (at_flags & AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	r = path_lookup(dirfd, path, lookup, &p);
	if (r < 0)
		return r;
	r = p.dentry->inode ? check_executable(&p) : -ENOENT;
	if (r == 0)
		r = file_open_path(&p, O_RDONLY, ret);
	path_unref(&p);
	return r;
}

int exec_read_head(struct binprm *b)
{
	s64 n = file_pread(b->file, b->head, sizeof(b->head), 0);

	if (n < 0)
		return (int)n;
	memset(b->head + n, 0, sizeof(b->head) - (size_t)n);
	return 0;
}
