/* SPDX-License-Identifier: Apache-2.0 */
/*
 * execve(2). The new address space is built completely before anything of the old program is touched, so that every failure up to
 * process_begin_exec() is an ordinary error.
 */
#include "kernel/exec/exec.h"

#include "abi/linux/fcntl.h"
#include "kernel/fs/internal.h"
#include "kernel/mm/map.h"

/* User selectors of the GDT (platform.h, STAR). */
#define USER_CS      0x33u
#define USER_SS      0x2bu
#define RFLAGS_START 0x202u /* IF and the bit that is always 1 */

static size_t count_strings(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

/* execveat(2): programs started from a descriptor are called /dev/fd/N or /dev/fd/N/PATH. */
static int name_program(struct binprm *b, int dirfd, const char *path)
{
	struct file *f;

	b->filename = path;
	if (dirfd == AT_FDCWD || path[0] == '/')
		return 0;
	b->fd_name =
		path[0] ? kasprintf("/dev/fd/%d/%s", dirfd, path) : kasprintf("/dev/fd/%d", dirfd);
	if (!b->fd_name)
		return -ENOMEM;
	b->filename = b->fd_name;
	f = fd_get(dirfd);
	if (!f)
		return -EBADF;
	file_unref(f);
	b->fd_cloexec = current->files && (current->files->cloexec[dirfd / 64] >> (dirfd % 64) & 1);
	return 0;
}

/* ---- credentials: execve(2); the capabilities follow in process_end_exec() ---- */

static void cred_take_ids(struct cred *c, const struct file *f)
{
	const struct inode *i = f->inode;

	if (!current->no_new_privs && !(f->path.mnt->flags & MS_NOSUID)) {
		if (i->mode & S_ISUID)
			c->euid = i->uid;
		if ((i->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
			c->egid = i->gid;
	}
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
}

static int prepare_cred(struct binprm *b)
{
	const struct cred *old = current->cred;
	struct cred *c = cred_copy(old);

	if (!c)
		return -ENOMEM;
	cred_take_ids(c, b->file);
	b->secure = c->euid != old->uid || c->egid != old->gid;
	cred_unref(b->cred);
	b->cred = c;
	return 0;
}

/* ---- loading ---- */

static int load_program(struct binprm *b)
{
	int r;

	for (unsigned depth = 0; depth <= SCRIPT_DEPTH_MAX; depth++) {
		r = exec_read_head(b);
		if (r < 0)
			return r;
		r = script_load(b);
		if (r == 0)
			continue;
		if (r != -ENOEXEC)
			return r;
		r = prepare_cred(b);
		return r < 0 ? r : elf_load(b);
	}
	return -ELOOP;
}

static void start_registers(const struct binprm *b)
{
	current->regs = (struct rf_regs){
		.orig_rax = ~0ull,
		.rip = b->entry,
		.cs = USER_CS,
		.rflags = RFLAGS_START,
		.rsp = b->sp,
		.ss = USER_SS,
	};
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int commit(struct binprm *b)
{
	struct mm *mm = b->mm;
	int r = process_begin_exec();

	if (r < 0)
		return r;
	mm_set_exe(mm, b->file);
	b->mm = NULL;
	process_end_exec(base_name(b->filename), mm, b->cred);
	kplat->fpu_reset(current);
	start_registers(b);
	return 0;
}

static void binprm_free(struct binprm *b)
{
	for (unsigned i = 0; i < b->npre; i++)
		kfree(b->pre[i]);
	mm_unref(b->mm);
	cred_unref(b->cred);
	file_unref(b->file);
	kfree(b->fd_name);
	kfree(b);
}

int exec_load(int dirfd, const char *path, char *const *argv, char *const *envp, u32 at_flags)
{
	static char *const empty_argv[] = { (char *)"", NULL };
	struct binprm *b = kzalloc(sizeof(*b));
	int r;

	if (!b)
		return -ENOMEM;
	b->argc = count_strings(argv);
	b->argv = b->argc ? argv : empty_argv;
	b->argc =
		b->argc ? b->argc
			: 1; /* execve(2), NOTES: an empty argv becomes one with an empty string */
	b->envp = envp;
	b->envc = count_strings(envp);
	r = name_program(b, dirfd, path);
	if (r == 0)
		r = exec_open(dirfd, path, at_flags, &b->file);
	if (r == 0)
		r = load_program(b);
	if (r == 0)
		r = commit(b);
	binprm_free(b);
	return r;
}
